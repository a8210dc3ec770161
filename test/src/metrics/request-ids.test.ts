import { randomUUID } from 'node:crypto';
import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { createLogger } from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { ask, type Outcome } from '../fastify-mtls/plain-client.js';
import { send, signed, type Draft } from '../edge-verifier/client.js';
import { startStoryTiers } from '../story/story-tiers.js';
import { TestAuthority } from '../support/certificates.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { runSql } from '../support/postgres.js';
import { SmallMaster } from '../support/small-master.js';
import { until } from '../support/victim.js';

t.setTimeout(170_000);

const EAST = { region: 'us-east-1', service: 's3' };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HOSTILE = [
  'short',
  'x'.repeat(65),
  '{"level":"fatal"}',
  'a b c d e f g',
  '../../etc/passwd',
  'caf\u00e9-caf\u00e9',
  '%0a%0d%0a%0d',
];

interface Line {
  readonly event?: string;
  readonly requestId?: string;
}

t.test('a request is followed by one id from the edge to the region, the master and the ledger', async (t) => {
  const lines: string[] = [];
  const log = createLogger({ service: 'tiers', level: 'debug', destination: { write: (line) => lines.push(line) } });
  const clock = new LeapingClock(Date.now());
  const { edges, leapTo, keydctl, database } = await startStoryTiers(t, clock, [EAST], { log });
  await leapTo(clock.now() + 1_000);
  const [edge] = edges;
  if (!edge) throw new Error('the edge is missing');
  const chosen = 'an-id-that-a-client-has-chosen';
  /** Asks for a key that nobody holds yet; again with another one where a busy machine was too slow to fetch it. */
  const askForNew = async (): Promise<{ readonly draft: Draft; readonly requestId: string }> => {
    const made = (await keydctl('access-key', 'create', '--owner', 'ann')) as unknown as CreatedAccessKey;
    const draft = { accessKeyId: made.accessKeyId, secret: made.secretAccessKey, ...EAST, now: clock.now() };
    const message = signed({ ...draft, secret: 'wrong', unsigned: [['x-request-id', chosen]] });
    const { headers } = await send(edge.proxy, message);
    if (headers['x-keyd-reason'] !== 'signature-mismatch') return askForNew();
    return { draft, requestId: String(headers['x-amz-request-id']) };
  };
  const { draft, requestId } = await askForNew();
  t.match(requestId, UUID, 'the edge makes the id');

  const events = lines.map((line) => JSON.parse(line) as Line).filter((line) => line.requestId === requestId);
  const names = events.map(({ event }) => event);
  for (const event of ['request-refused', 'service-keys-issued', 'region-keys-issued']) {
    t.equal(names.filter((name) => name === event).length, 1, `${event}, under the same id`);
  }
  const recorded = (): Promise<readonly object[]> =>
    runSql(database, `SELECT rung FROM issuance WHERE request_id = '${requestId}' ORDER BY rung`);
  await until(async () => {
    await leapTo(clock.now() + 1_000);
    return (await recorded()).length === 2;
  });
  t.strictSame(await recorded(), [{ rung: 'kRegion' }, { rung: 'kService' }], 'the records of both tiers have it');
  t.notOk(lines.join('').includes(chosen), 'what a client calls its request is not in any log');
  const twice = lines.filter((line) => /"requestId":.*"requestId":/.test(line));
  t.strictSame(twice, [], 'no line has two ids');

  const issued = (): number => lines.filter((line) => line.includes('"service-keys-issued"')).length;
  const before = issued();
  const held = await send(edge.proxy, signed({ ...draft, now: clock.now() }));
  t.equal(held.status, 200);
  t.equal(issued(), before, 'a key that is held is not asked for');
});

t.test('a peer may name its request; what is no id is replaced, and comes back in no answer and no log', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  const master = await SmallMaster.create(await authority.credentials({ role: 'master', name: 'm1' }), {});
  t.teardown(() => master.app.close());
  const { port } = await master.listen();
  const files = await authority.filesOf({ role: 'region', region: 'us-east-1', name: 'r1' });
  const idOf = async (given: string): Promise<unknown> => {
    const headers = { 'x-request-id': given };
    const outcome: Outcome = await ask(files, files.ca, { port: Number(port), path: '/v1/nothing', headers });
    if ('failed' in outcome) return outcome.failed;
    return (outcome.body['error'] as { readonly requestId: unknown }).requestId;
  };
  const own = randomUUID();
  t.equal(await idOf(own), own);
  for (const hostile of HOSTILE) {
    const id = await idOf(hostile);
    t.match(id, UUID, hostile.slice(0, 20));
    t.not(id, hostile);
  }
});
