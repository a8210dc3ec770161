import { randomUUID } from 'node:crypto';
import { createMtlsAgent, type CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { AcceptanceCounts, AcceptanceRollups, sealBatches } from '@sigv4-keyd/edge-keys';
import {
  ACCEPTANCES_PATH,
  PeerClient,
  rollupBatch,
  type EdgeIdentity,
  type RegionIdentity,
  type Rollup,
} from '@sigv4-keyd/hop-protocol';
import { AcceptanceRelay, acceptancesRoute } from '@sigv4-keyd/region-keyd';
import { createLogger, createMtlsApp } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { presigned, send, signed } from '../edge-verifier/client.js';
import { startEdge } from '../edge-verifier/edge-under-test.js';
import { NOON, startMaster } from '../master-keyd/master-under-test.js';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { freePort } from '../support/free-port.js';
import { rollupAt } from './made-up-batches.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

const HOUR_MS = 3_600_000;
const silent = createLogger({ service: 'test', level: 'silent' });
const own: RegionIdentity = { role: 'region', trustDomain: TRUST_DOMAIN, region: 'us-east-1', name: 'r1' };

const acceptedBy = (accessKeyId: string, date: string, mechanism: Rollup['mechanism'] = 'header') => ({
  accessKeyId,
  mechanism,
  scope: { date: day(date), region: 'us-east-1', service: 's3', terminator: 'aws4_request' as const },
});

/** An edge's and a region's part in roll-ups, over real mTLS; the region and the master can be away. */
async function setUp(
  t: Test,
  limits: { readonly relayBytes?: number; readonly edgeBytes?: number } = {},
  log = silent,
) {
  const authority = await TestAuthority.create(newStateFolder(t));
  const clock = new VirtualClock(NOON);
  const [regionPort, masterPort] = [await freePort(), await freePort()];
  const [regionFolder, edgeFolder] = [newStateFolder(t), newStateFolder(t)];
  const clientOf = (credentials: CredentialsStore, role: string, port: number): PeerClient => {
    const dispatcher = createMtlsAgent({
      credentials,
      timer: STANDING_TIMER,
      acceptsServer: ({ segments }) => segments[0] === role,
    });
    t.teardown(() => dispatcher.close());
    return new PeerClient({
      urls: [new URL(`https://127.0.0.1:${masterPort && port}`)],
      dispatcher,
      timer: STANDING_TIMER,
    });
  };
  const regionCredentials = await authority.credentials(own);
  const startRegion = async () => {
    const master = clientOf(regionCredentials, 'master', masterPort);
    const bound = limits.relayBytes === undefined ? {} : { mostBytes: limits.relayBytes };
    const relay = await AcceptanceRelay.open({ stateFolder: regionFolder, master, clock, log, ...bound });
    const app = await createMtlsApp({ credentials: regionCredentials, trustDomain: TRUST_DOMAIN, log });
    acceptancesRoute(app, { own, acceptances: relay, clockSkewSeconds: 900, now: () => clock.now() });
    await app.listen({ host: '127.0.0.1', port: regionPort });
    t.teardown(() => app.close());
    return { relay, close: () => app.close() };
  };
  const edgeCredentials = async (given: Partial<EdgeIdentity> = {}): Promise<CredentialsStore> =>
    authority.credentials({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1', ...given });
  const openEdge = async () => {
    const counts = new AcceptanceCounts();
    const region = clientOf(await edgeCredentials(), 'region', regionPort);
    const bound = limits.edgeBytes === undefined ? {} : { mostBytes: limits.edgeBytes };
    const rollups = await AcceptanceRollups.open({ counts, stateFolder: edgeFolder, region, clock, log, ...bound });
    return { counts, rollups };
  };
  const regionClient = async (given?: Partial<EdgeIdentity>): Promise<PeerClient> =>
    clientOf(await edgeCredentials(given), 'region', regionPort);
  return { authority, clock, masterPort, startRegion, openEdge, regionClient };
}

t.test('counts: an access key, day, mechanism and minute each, with the first and the last', (t) => {
  const counts = new AcceptanceCounts();
  const noon = Date.parse(NOON);
  counts.count(acceptedBy('AKIAONE', '20261122'), noon + 5_000);
  counts.count(acceptedBy('AKIAONE', '20261122'), noon + 59_999);
  counts.count(acceptedBy('AKIAONE', '20261122'), noon + 7_000);
  counts.count(acceptedBy('AKIAONE', '20261122'), noon + 60_000);
  counts.count(acceptedBy('AKIAONE', '20261121', 'presigned'), noon);
  counts.count(acceptedBy('AKIATWO', '20261122'), noon);
  const { rollups, dropped } = counts.take();
  t.equal(dropped, 0);
  t.strictSame(rollups, [
    rollupAt(noon, { count: 3, first: '2026-11-22T12:00:05.000Z', last: '2026-11-22T12:00:59.999Z' }),
    rollupAt(noon + 60_000),
    rollupAt(noon, { scopeDate: day('20261121'), mechanism: 'presigned' }),
    rollupAt(noon, { accessKeyId: 'AKIATWO' }),
  ]);
  t.strictSame(counts.take(), { rollups: [], dropped: 0 });

  const bounded = new AcceptanceCounts(2);
  for (const id of ['AKIAONE', 'AKIATWO', 'AKIATHREE', 'AKIAONE']) bounded.count(acceptedBy(id, '20261122'), noon);
  const taken = bounded.take();
  t.strictSame(
    taken.rollups.map(({ count }) => count),
    [2, 1],
  );
  t.equal(taken.dropped, 1, 'what found no room is told');

  const many = Array.from({ length: 4_500 }, (_, index) => rollupAt(noon, { accessKeyId: `AKIA${index}` }));
  let ids = 0;
  const batches = sealBatches({ rollups: many, dropped: 7 }, () => `00000000-0000-4000-8000-00000000000${(ids += 1)}`);
  const sizes = batches.map((batch) => [batch.rollups.length, batch.dropped]);
  t.strictSame(sizes, [
    [2_000, 0],
    [2_000, 0],
    [500, 0],
    [0, 7],
  ]);
  for (const batch of batches) t.ok(rollupBatch.safeParse(batch).success);
  t.end();
});

t.test('an edge counts what it accepts, and nothing that it refuses', async (t) => {
  const edge = await startEdge(t);
  for (let number = 0; number < 3; number += 1) await send(edge.proxy, signed({ target: `/${number}` }));
  await send(edge.proxy, presigned());
  t.equal((await send(edge.proxy, signed({ secret: 'wrong' }))).status, 403);
  t.equal((await send(edge.proxy, signed({ accessKeyId: 'AKIANOBODY' }))).status, 403);
  const { rollups } = edge.counts.take();
  t.strictSame(
    rollups.map(({ mechanism, count }) => [mechanism, count]),
    [
      ['header', 3],
      ['presigned', 1],
    ],
  );
  const lines = edge.log.filter((line) => line.includes('request-accepted'));
  t.equal(lines.length, 4, 'one line each');
  for (const line of lines) {
    t.match(JSON.parse(line), {
      time: /Z$/,
      accessKeyId: String,
      scope: /^\d{8}\/eu-west-1\/s3\/aws4_request$/,
      requestId: String,
      method: 'GET',
      pathSha256: /^[0-9a-f]{64}$/,
      edge: /^spiffe:/,
    });
  }
});

t.test('hours without a region, then hours without a master: all arrives, once', async (t) => {
  const { authority, clock, masterPort, startRegion, openEdge } = await setUp(t);
  const database = await freshDatabase(t);
  const env = { KEYD_LISTEN: `127.0.0.1:${masterPort}` };
  const first = await openEdge();
  let expected = 0;
  for (let step = 1; step <= 36; step += 1) {
    await clock.moveTo(Date.parse(NOON) + step * 600_000);
    for (let number = 0; number < step; number += 1) {
      first.counts.count(acceptedBy(`AKIA${number % 3}`, '20261122'), clock.now());
      expected += 1;
    }
    await first.rollups.sealAndSend();
  }
  t.match(first.rollups.status(), { batchesWaiting: 36, isFailing: true });
  first.counts.count(acceptedBy('AKIA0', '20261122'), clock.now());

  // The edge dies here: what it had counted since the last seal is lost, and no more.
  const second = await openEdge();
  t.equal(second.rollups.status().batchesWaiting, 36);
  const region = await startRegion();
  await second.rollups.sealAndSend();
  t.match(second.rollups.status(), { batchesWaiting: 0, isFailing: false });
  await clock.advance(3 * HOUR_MS);
  await region.relay.send();
  t.equal(region.relay.status().isFailing, true);
  await region.close();

  const again = await startRegion();
  const master = await startMaster(t, { authority, clock, database, env });
  const kept = again.relay.status().groupsWaiting;
  t.ok(kept > 0, 'the region kept them across its restart');
  await Promise.all([again.relay.send(), again.relay.send()]);
  t.equal(again.relay.status().groupsWaiting, 0);
  const rows = await runSql<{ count: string }>(master.database, 'SELECT sum(count) AS count FROM acceptance');
  t.equal(Number(rows[0]?.count), expected);
});

t.test(
  'a full buffer at the edge drops the oldest and tells; a region refuses one that would fill its buffer',
  async (t) => {
    const blocks = 4_096;
    const { authority, clock, masterPort, startRegion, openEdge } = await setUp(t, {
      edgeBytes: 32 * blocks,
      relayBytes: 4 * blocks,
    });
    const { counts, rollups } = await openEdge();
    const sealOne = async (): Promise<void> => {
      counts.count(acceptedBy('AKIAONE', '20261122'), clock.now());
      await clock.advance(60_000);
      await rollups.seal();
    };
    for (let number = 0; number < 100; number += 1) await sealOne();
    t.ok(rollups.status().bytesWaiting <= 32 * blocks);
    const region = await startRegion();
    await rollups.sealAndSend();
    t.equal(region.relay.status().groupsWaiting, 2, 'the region takes as much of one edge as room is left');
    t.match(rollups.status(), { isFailing: true });

    const env = { KEYD_LISTEN: `127.0.0.1:${masterPort}` };
    const master = await startMaster(t, { authority, clock, env });
    while (rollups.status().batchesWaiting > 0) {
      await region.relay.send();
      await rollups.sealAndSend();
    }
    await region.relay.send();
    const [counted] = await runSql<{ count: string }>(master.database, 'SELECT sum(count) AS count FROM acceptance');
    const sumOfDropped = 'SELECT sum(dropped) AS dropped FROM acceptance_batch';
    const [told] = await runSql<{ dropped: string }>(master.database, sumOfDropped);
    t.ok(Number(told?.dropped) > 0);
    t.equal(Number(counted?.count) + Number(told?.dropped), 100, 'each was counted or is told as dropped');
  },
);

t.test(
  'an edge that floods its region keeps the rest; what others bring is taken, and the operator is told',
  async (t) => {
    const lines: string[] = [];
    const log = createLogger({ service: 'test', level: 'warn', destination: { write: (line) => lines.push(line) } });
    const { clock, startRegion, regionClient } = await setUp(t, { relayBytes: 32 * 4_096 }, log);
    const { relay } = await startRegion();
    const give = (client: PeerClient, minute: number): Promise<undefined> =>
      client.call({
        method: 'POST',
        path: ACCEPTANCES_PATH,
        body: { id: randomUUID(), rollups: [rollupAt(clock.now() - minute * 60_000)] },
        answer: z.undefined(),
      });
    const [hostile, honest] = [await regionClient({ name: 'hostile' }), await regionClient({ name: 'honest' })];
    let taken = 0;
    for (let given = 0; given < 40; given += 1) {
      await give(hostile, 0).then(
        () => (taken += 1),
        (error: unknown) => t.match(error, { code: 'too-many-requests' }),
      );
    }
    t.equal(taken, 16, 'half of the room');
    const spiffeId = `spiffe://${TRUST_DOMAIN}/edge/us-east-1/s3/hostile`;
    t.match(relay.status().overShare, [spiffeId]);
    t.match(relay.warnings(), [`${spiffeId} has used up its share`]);
    const told = (): readonly string[] => lines.filter((line) => line.includes('rollup-share-used-up'));
    t.match(JSON.parse(told()[0] ?? ''), { peer: spiffeId, security: true });
    for (let minute = 0; minute < 5; minute += 1) {
      await give(honest, minute);
      await t.rejects(give(hostile, minute), { code: 'too-many-requests' });
    }
    t.equal(told().length, 1, 'told once');
  },
);

t.test('a clock that is hours ahead: the region refuses, and the loss is told', async (t) => {
  const { authority, clock, masterPort, startRegion, openEdge } = await setUp(t);
  const master = await startMaster(t, { authority, clock, env: { KEYD_LISTEN: `127.0.0.1:${masterPort}` } });
  const region = await startRegion();
  const { counts, rollups } = await openEdge();
  counts.count(acceptedBy('AKIAONE', '20261122'), clock.now() + 2 * HOUR_MS);
  await rollups.sealAndSend();
  counts.count(acceptedBy('AKIAONE', '20261122'), clock.now());
  await rollups.sealAndSend();
  await rollups.sealAndSend();
  await region.relay.send();
  t.match(rollups.status(), { batchesWaiting: 0, isFailing: false });
  const [row] = await runSql<{ count: string; dropped: string }>(
    master.database,
    'SELECT (SELECT sum(count) FROM acceptance) AS count, (SELECT sum(dropped) FROM acceptance_batch) AS dropped',
  );
  t.match(row, { count: '1', dropped: '1' });
});

t.test('a region takes the batches of its own edges only, and only what can have happened', async (t) => {
  const { startRegion, regionClient } = await setUp(t);
  const region = await startRegion();
  const give = (client: PeerClient, body: unknown): Promise<undefined> =>
    client.call({ method: 'POST', path: ACCEPTANCES_PATH, body, answer: z.undefined() });
  const id = '0ccb4b4e-91a1-4e3e-9b8f-0d4f5f6a7b8c';
  const batch = { id, rollups: [rollupAt(NOON)] };
  const edge = await regionClient();
  await t.rejects(give(await regionClient({ region: 'eu-west-1' }), batch), { code: 'role-not-allowed' });
  const hostile = {
    'a future minute': { id, rollups: [rollupAt('2026-11-22T12:20:00Z')] },
    'a minute of last year': { id, rollups: [rollupAt('2025-11-22T12:00:00Z')] },
    'a negative count': { id, rollups: [rollupAt(NOON, { count: -4 })] },
    'an edge of its own choice': { ...batch, edge: 'spiffe://keyd.test/edge/us-east-1/s3/e2' },
    'too many': { id, rollups: Array.from({ length: 2_001 }, () => rollupAt(NOON)) },
    nothing: { id, rollups: [] },
  };
  for (const [name, body] of Object.entries(hostile)) {
    await t.rejects(give(edge, body), { code: 'malformed-request' }, name);
  }
  await t.rejects(give(edge, { id, rollups: [], note: 'x'.repeat(3_000_000) }), { code: 'too-large' });
  t.equal(region.relay.status().groupsWaiting, 0);
  await give(edge, batch);
  t.equal(region.relay.status().groupsWaiting, 1);
});
