import {
  KeydError,
  mtlsKeySource,
  REGION_KEYS,
  REVOCATIONS_PATH,
  type DayStreamRequest,
  type EdgeIdentity,
  type RegionIdentity,
  type StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import { configuration as edgeConfiguration, startEdgeVerifier } from '@sigv4-keyd/edge-verifier';
import { createRegionKeys, K_SERVICE, serviceDayPages } from '@sigv4-keyd/region-keyd';
import type { IssuanceRecord } from '@sigv4-keyd/ledger';
import { publicJwks } from '@sigv4-keyd/revocation';
import { readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { wiredMaster, type WiredMaster } from '../ledger-wired/wired-master.js';
import { HOST, send, signed } from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { wiredRegion, type WiredRegion } from '../ledger-wired/wired-region.js';
import { capturedLog, hmac, independentKRegion, sharedFeedKeys, TODAY } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { insertAccessKeys, madeUpIds, secretOf } from '../support/made-up-access-keys.js';
import { runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { until } from '../support/victim.js';
import { edgeStreams, idsOf, keysOf } from './streaming-peers.js';
import { tierSettings } from '../support/tier-settings.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

t.setTimeout(120_000);

const ALL: DayStreamRequest = { date: day(TODAY), which: 'all' };
const PINNED: DayStreamRequest = { date: day(TODAY), which: 'pinned' };

const kServiceOf = (accessKeyId: string, service = 's3'): Buffer =>
  hmac(independentKRegion(secretOf(accessKeyId), TODAY, 'us-east-1'), service);

/** A master with these access keys, and a region that starts when they are there. */
async function tiers(
  t: Test,
  {
    ids = [],
    pinned = [],
    env = {},
  }: {
    readonly ids?: readonly string[];
    readonly pinned?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
) {
  const master = await wiredMaster(t);
  await runSql(master.database, 'DELETE FROM access_key');
  await insertAccessKeys(master, ids);
  await insertAccessKeys(master, pinned, { isPinned: true });
  const region = await wiredRegion(t, master, { env });
  const { authority } = master;
  const edge = (identity: Parameters<typeof edgeStreams>[2] = {}) =>
    edgeStreams(t, { authority, url: `https://${region.service.addresses['hop'] ?? ''}` }, identity);
  return { master, region, edge };
}

const kRegionRecords = async ({ database }: WiredMaster): Promise<number> =>
  (await runSql(database, "SELECT FROM issuance WHERE rung = 'kRegion'")).length;

const heldToday = async (region: Pick<WiredRegion, 'status'>): Promise<number> => {
  const { heldDays } = z
    .object({ heldDays: z.array(z.object({ date: z.string(), keys: z.number() })) })
    .parse(await region.status());
  return heldDays.find(({ date }) => date === TODAY)?.keys ?? 0;
};

const statusOf = async ({ addresses }: RunningService): Promise<Readonly<Record<string, unknown>>> => {
  const answer = await fetch(`http://${addresses['health'] ?? ''}/status`);
  return (await answer.json()) as Readonly<Record<string, unknown>>;
};

const warningsOf = async (region: WiredRegion): Promise<readonly string[]> =>
  z.object({ warnings: z.array(z.string()) }).parse(await region.status()).warnings;

t.test('edges get the whole day of their service, and the master is asked once for all of them', async (t) => {
  const ids = madeUpIds(12_000);
  const { master, region, edge } = await tiers(t, { ids });
  const [sqsOnly = '', expired = ''] = ids.slice(6_000);
  await runSql(master.database, "UPDATE access_key SET services = '{sqs}' WHERE id = $1", [sqsOnly]);
  await runSql(master.database, "UPDATE access_key SET expires_at = '2026-11-22T12:00:01Z' WHERE id = $1", [expired]);
  const [first, second, queue, bound] = await Promise.all([
    keysOf(await edge(), ALL),
    keysOf(await edge({ name: 'e2' }), ALL),
    keysOf(await edge({ service: 'sqs', name: 'e3' }), ALL),
    keysOf(await edge({ purpose: 'aws4_request' }), ALL),
  ]);
  t.same(
    idsOf(first),
    ids.filter((id) => id !== sqsOnly),
  );
  t.same(idsOf(second), idsOf(first));
  t.same(idsOf(queue), ids);
  const wrong = (keys: readonly StreamedKey[], service: string): readonly StreamedKey[] =>
    keys.filter(({ facts, key }) => !kServiceOf(facts.accessKeyId, service).equals(key));
  t.same([wrong(first, 's3'), wrong(queue, 'sqs')], [[], []], 'as an independent derivation says');
  t.same(idsOf(bound), idsOf(first));
  const notSigning = bound.filter(({ facts, key }) => !hmac(kServiceOf(facts.accessKeyId), 'aws4_request').equals(key));
  t.same(notSigning, [], 'kSigning where the certificate binds the edge to it');
  t.equal(await kRegionRecords(master), 3, 'a record a page, of one stream');

  await master.clock.advance(1_001);
  const later = await keysOf(await edge(), { ...ALL, after: ids[5_990] ?? '' });
  t.same(
    idsOf(later),
    ids.slice(5_991).filter((id) => id !== sqsOnly && id !== expired),
    'judged as it is sent',
  );
  await region.service.close();
  t.notOk(region.logged.join('').includes(kServiceOf(ids[0] ?? '').toString('base64')));
});

t.test('a region that holds the whole day serves it with the master down', async (t) => {
  const ids = madeUpIds(6_000);
  const { master, region, edge } = await tiers(t, { ids, env: { KEYD_PREFETCH: 'all' } });
  await until(async () => (await heldToday(region)) === ids.length);
  await master.service.close();
  t.same(idsOf(await keysOf(await edge(), ALL)), ids);
});

t.test('a region holds as many as fit, says so, and streams those', async (t) => {
  const ids = madeUpIds(6_000);
  const { region, edge } = await tiers(t, { ids, env: { KEYD_PREFETCH: 'all', KEYD_KEY_MEMORY: '2MiB' } });
  const sentence = new RegExp(`^${TODAY} has more access keys than fit .*raise KEYD_KEY_MEMORY`);
  await until(async () => (await warningsOf(region)).some((warning) => sentence.test(warning)));
  const streamed = idsOf(await keysOf(await edge(), ALL));
  t.ok(streamed.length > 1_000 && streamed.length < 3_000, `${streamed.length} fit`);
  t.same(streamed, ids.slice(0, streamed.length));
});

t.test('with the master down and nothing here yet, an edge is told so', async (t) => {
  const { master, edge } = await tiers(t, { ids: ['AKIAONE'] });
  await master.service.close();
  await t.rejects(keysOf(await edge(), ALL), { code: 'parent-unavailable' });
});

t.test('pinned access keys come down without having been used, new pins soon after', async (t) => {
  const { master, region, edge } = await tiers(t, { ids: madeUpIds(20), pinned: madeUpIds(3, 'PIN') });
  await until(async () => (await heldToday(region)) === 3);
  t.same(idsOf(await keysOf(await edge(), PINNED)), madeUpIds(3, 'PIN'));
  await insertAccessKeys(master, ['PINNEW'], { isPinned: true });
  t.same(idsOf(await keysOf(await edge(), PINNED)), madeUpIds(3, 'PIN'), 'the master is not asked again at once');
  await master.clock.advance(600_000);
  t.same(idsOf(await keysOf(await edge(), PINNED)), [...madeUpIds(3, 'PIN'), 'PINNEW']);
  await master.service.close();
  await master.clock.advance(600_000);
  t.same(idsOf(await keysOf(await edge(), PINNED)).length, 4, 'with the master down, those of before');
});

t.test('the certificate is the scope, and no past day comes as a stream', async (t) => {
  const { edge } = await tiers(t, {});
  for (const [name, source] of [["another region's edge", await edge({ region: 'eu-west-1' })]] as const) {
    await t.rejects(keysOf(source, ALL), { code: 'role-not-allowed' }, name);
  }
  for (const date of ['20261114', '20261121', '20261124']) {
    await t.rejects(keysOf(await edge(), { ...ALL, date: day(date) }), { code: 'date-outside-window' }, date);
  }
});

t.test('a revocation takes the keys out of streams of this region', async (t) => {
  const { master, region, edge } = await tiers(t, { ids: madeUpIds(10) });
  t.equal((await keysOf(await edge(), ALL)).length, 10);
  const operator = await master.operator();
  const revoke = async (scope: object): Promise<void> => {
    const body = { ...scope, from: TODAY, to: TODAY, incident: 'INC-1', reason: 'test' };
    await operator.call({ method: 'POST', path: REVOCATIONS_PATH, body, answer: z.any() });
  };
  await revoke({ service: 's3', accessKeyId: 'AKIA0000003' });
  await until(async () => !idsOf(await keysOf(await edge(), ALL)).includes('AKIA0000003'));
  t.equal((await keysOf(await edge(), ALL)).length, 9);
  t.equal((await keysOf(await edge({ service: 'sqs' }), ALL)).length, 10, 'another service is not hit');
  await revoke({ region: 'us-east-1' });
  await until(async () => (await heldToday(region)) === 0);
  t.same(await keysOf(await edge({ service: 'sqs' }), ALL), []);
});

t.test(
  'an edge with the whole day verifies the first request of an access key with everything above it down',
  async (t) => {
    const ids = madeUpIds(6_000);
    const { master, region } = await tiers(t, { ids, env: { KEYD_PREFETCH: 'all' } });
    const upstream = await RecordingUpstream.start();
    t.teardown(() => upstream.close());
    const files = await master.authority.filesOf({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' });
    const { revocation, beacon, root } = await sharedFeedKeys();
    const edge = await startEdgeVerifier(
      readConfiguration(edgeConfiguration, {
        ...tierSettings(files, JSON.stringify(publicJwks([revocation, beacon, root])), newStateFolder(t)),
        KEYD_REGIONS: `https://${region.service.addresses['hop'] ?? ''}`,
        KEYD_EXTERNAL_HOSTS: HOST,
        KEYD_PROXY_LISTEN: '127.0.0.1:0',
        KEYD_UPSTREAM: upstream.url,
        KEYD_PREFETCH: 'all',
      }),
      { clock: master.clock, log: capturedLog().log, timer: STANDING_TIMER, random: () => 0.5 },
    );
    t.teardown(() => edge.close());
    await until(async () => (await heldToday({ status: () => statusOf(edge) })) === ids.length);
    await until(async () => z.looseObject({ ready: z.boolean() }).parse(await statusOf(edge)).ready);
    await region.service.close();
    await master.service.close();
    const verdict = async (accessKeyId: string, secret: string): Promise<number> => {
      const message = signed({ region: 'us-east-1', now: master.clock.now(), accessKeyId, secret });
      return (await send(edge.addresses['proxy'] ?? '', message)).status;
    };
    const never = ids[4_711] ?? '';
    t.equal(await verdict(never, secretOf(never)), 200);
    t.equal(await verdict(never, 'not its secret'), 403);
  },
);

t.test('page by page: judged, recorded, then released', async (t) => {
  const own: RegionIdentity = { role: 'region', trustDomain: TRUST_DOMAIN, region: 'us-east-1', name: 'r1' };
  const edge: EdgeIdentity = { role: 'edge', trustDomain: TRUST_DOMAIN, region: 'us-east-1', service: 's3', name: 'e' };
  const { clock, clientOf, authority } = await wiredMaster(t);
  const settings = { keyMemory: 64 * 1024 * 1024, longestPresigned: 86_400, clockSkew: 900 };
  const client = clientOf(await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' }));
  const revoked = new Set<string>();
  const parent = mtlsKeySource(REGION_KEYS, { region: own.region }, client);
  const regionKeys = createRegionKeys(settings, parent, {
    clock,
    random: () => 0.5,
    denialOf: () => undefined,
  });
  const ids = madeUpIds(6);
  const facts = { version: 1, createdAt: 0 };
  for (const accessKeyId of ids) regionKeys.days.hold(day(TODAY), { ...facts, accessKeyId }, new Uint8Array(32));
  const recorded: (readonly string[])[] = [];
  let isDiskFull = false;
  const pages = serviceDayPages(
    edge,
    { ...ALL, requestId: 'request-1', log: capturedLog().log },
    {
      own,
      derived: K_SERVICE,
      regionKeys,
      regionDays: {
        async *idsOf() {
          yield await Promise.resolve([...ids.slice(0, 2), 'AKIANOTHELD']);
          yield ids.slice(2, 4);
          yield ids.slice(4);
        },
      },
      ledger: {
        record: ({ accessKeyIds }: IssuanceRecord) => {
          if (isDiskFull) return Promise.reject(new KeydError('journal-unavailable'));
          recorded.push(accessKeyIds);
          return Promise.resolve();
        },
      },
      denialOf: (_date, { accessKeyId }) => (revoked.has(accessKeyId) ? 'revoked' : undefined),
      now: () => clock.now(),
    },
  );
  const next = async (): Promise<readonly string[]> => idsOf((await pages.next()).value ?? []);
  t.same(await next(), ids.slice(0, 2), 'what is not held is left out');
  t.same(recorded, [ids.slice(0, 2)]);
  revoked.add(ids[2] ?? '');
  t.same(await next(), ids.slice(3, 4), 'what was revoked since the page before');
  t.same(recorded.at(-1), ids.slice(3, 4));
  isDiskFull = true;
  await t.rejects(pages.next(), { code: 'journal-unavailable' }, 'what cannot be recorded is not released');
  t.same([...regionKeys.days.used.entries()], [], 'a stream is no use of an access key');
});
