import type { AccessKey, CreatedAccessKey, RotatedAccessKey } from '@sigv4-keyd/hop-protocol';
import t from 'tap';
import { presigned, signed } from '../edge-verifier/client.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { until } from '../support/victim.js';
import { startStoryTiers, type EdgeOfStory } from './story-tiers.js';

t.setTimeout(170_000);

const SCOPES = [
  { region: 'us-east-1', service: 's3' },
  { region: 'us-east-1', service: 'execute-api' },
  { region: 'eu-west-1', service: 's3' },
];

/** What each edge says of a request signed in the header, and of a URL presigned an hour ago. */
interface Verdicts {
  readonly header: readonly string[];
  readonly url: readonly string[];
}

t.test('what an operator does to an access key is in force at every edge of every region', async (t) => {
  const clock = new LeapingClock(Date.now());
  const { edges, keydctl, leapTo } = await startStoryTiers(t, clock, SCOPES);
  await leapTo(clock.now() + 1_000);
  const { accessKeyId, secretAccessKey } = (await keydctl(
    'access-key',
    'create',
    '--owner',
    'ann',
  )) as unknown as CreatedAccessKey;
  const anHourAgo = clock.now() - 1_800_000;
  const onAll = (verdict: string): Verdicts => ({ header: SCOPES.map(() => verdict), url: SCOPES.map(() => verdict) });
  const verdicts = async (secret = secretAccessKey, id = accessKeyId): Promise<Verdicts> => {
    const draft = ({ region, service }: EdgeOfStory) => ({ accessKeyId: id, secret, region, service });
    return {
      header: await Promise.all(edges.map((edge) => edge.verdictOn(signed({ ...draft(edge), now: clock.now() })))),
      url: await Promise.all(
        edges.map((edge) => edge.verdictOn(presigned({ ...draft(edge), now: anHourAgo, expiresSeconds: 86_400 }))),
      ),
    };
  };
  const inForce = async (expected: Verdicts, what: string, ...who: Parameters<typeof verdicts>): Promise<void> => {
    await until(async () => JSON.stringify(await verdicts(...who)) === JSON.stringify(expected));
    t.pass(what);
  };
  t.same(await verdicts(), onAll('served'));
  const change = (...args: readonly string[]): Promise<unknown> => keydctl('access-key', ...args, accessKeyId);

  await change('disable');
  await inForce(onAll('access-key-disabled'), 'disabled');
  await change('enable');
  await inForce(onAll('served'), 'enabled');

  const only = (isAllowed: (scope: (typeof SCOPES)[number]) => boolean): Verdicts => {
    const list = SCOPES.map((scope) => (isAllowed(scope) ? 'served' : 'access-key-not-for-scope'));
    return { header: list, url: list };
  };
  await change('restrict', '--service', 's3');
  await inForce(
    only(({ service }) => service === 's3'),
    'good for one service',
  );
  await change('restrict', '--region', 'us-east-1');
  await inForce(
    only(({ service, region }) => service === 's3' && region === 'us-east-1'),
    'in one region',
  );
  await change('restrict', '--unrestricted');
  await inForce(onAll('served'), 'for all again');

  const fromNow = (ms: number): string => new Date(clock.now() + ms).toISOString();
  await change('expire', '--at', fromNow(3_600_000));
  await leapTo(clock.now() + 600_000);
  await inForce(onAll('served'), 'not yet');
  await change('expire', '--at', fromNow(60_000));
  await leapTo(clock.now() + 61_000);
  await inForce(onAll('access-key-expired'), 'ended');
  await change('expire', '--never');
  await inForce(onAll('served'), 'without an end again');

  const rotated = (await keydctl('access-key', 'rotate', accessKeyId, '--yes')) as unknown as RotatedAccessKey;
  await inForce(onAll('signature-mismatch'), 'the old secret signs nothing');
  await inForce(onAll('served'), 'the new one does', rotated.accessKey.secretAccessKey);

  const succession = (await keydctl(
    'access-key',
    'rotate',
    accessKeyId,
    '--overlap',
    '30m',
  )) as unknown as RotatedAccessKey;
  const successor = succession.accessKey;
  await inForce(onAll('served'), 'the successor', successor.secretAccessKey, successor.accessKeyId);
  await inForce(onAll('served'), 'and the one before it', rotated.accessKey.secretAccessKey);
  await leapTo(clock.now() + 1_801_000);
  await inForce(onAll('access-key-expired'), 'until it ends', rotated.accessKey.secretAccessKey);

  const { accessKeys } = (await keydctl('access-key', 'delete', '--owner', 'ann', '--yes')) as unknown as {
    readonly accessKeys: readonly AccessKey[];
  };
  t.equal(accessKeys.length, 2);
  await inForce(onAll('access-key-unknown'), 'deleted', successor.secretAccessKey, successor.accessKeyId);
});
