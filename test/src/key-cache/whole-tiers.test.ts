import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FEED_BEAT_MS } from '@sigv4-keyd/hop-protocol';
import t, { type Test } from 'tap';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { newStateFolder } from '../support/state-folder.js';
import { ANN, BEN, FeedTiers, NEW, REGION, statusOf, told } from '../feed/feed-tiers.js';
import { until, untilKept, untilVersion, type Tier } from '../feed/feed-tiers.js';

// Whole tiers over real mTLS, one after the other.
t.setTimeout(120_000);

const TODAY = day('20261122');
const today = { from: TODAY, to: TODAY, region: REGION };
const NOWHERE = 'https://127.0.0.1:1';

async function servingTiers(t: Test, env: Readonly<Record<string, string>> = {}) {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion({ env });
  const edge = await tiers.startEdge(region.url, { env });
  await untilVersion(edge, 1);
  for (const accessKeyId of [ANN, BEN]) t.equal(await edge.verdictOn({ accessKeyId }), 'served');
  return { tiers, region, edge };
}

const keysOf = async (tier: Tier): Promise<number> => (await statusOf(tier)).heldDays[0]?.keys ?? 0;

/** Waits until a restart of the tier would find the newest of the feed. */
function untilFeedSaved({ feed }: FeedTiers, { stateFolder }: Tier): Promise<void> {
  const { beacon = 'none' } = feed.newest ?? {};
  const file = join(stateFolder, 'feed-state.json');
  return until(() => existsSync(file) && readFileSync(file, 'utf8').includes(beacon));
}

/** A copy of what a tier has on disk: what a process that is killed now would leave. */
function copyOf(t: Test, { stateFolder }: Tier): string {
  const copy = newStateFolder(t);
  cpSync(stateFolder, copy, { recursive: true });
  return copy;
}

function copyOfFiles(t: Test, { files }: Tier): Tier['files'] {
  const folder = newStateFolder(t);
  for (const kind of ['cert', 'key', 'ca'] as const) copyFileSync(files[kind], join(folder, kind));
  return { cert: join(folder, 'cert'), key: join(folder, 'key'), ca: join(folder, 'ca') };
}

t.test('an edge restarted with region and master down verifies at once', async (t) => {
  const { tiers, region, edge } = await servingTiers(t);
  await untilKept(tiers, edge);
  await tiers.master.app.close();
  await region.close();
  await edge.close();
  const again = await tiers.startEdge(region.url, edge);
  t.equal(await again.verdictOn({ accessKeyId: ANN }), 'served');
  t.equal(await again.verdictOn({ accessKeyId: BEN }), 'served');
  t.equal(await again.verdictOn({ accessKeyId: NEW }), 'keys-unavailable', 'what was not held is not there');
  t.match(await statusOf(again), { ready: true, warnings: [], keyCache: { keptIn: 'disk', isBehind: false } });
  t.match(told(again, 'key-cache-restored'), [{ days: 1, taken: 2, denied: 0 }]);
});

t.test('a region restarted with the master down serves its edges at once', async (t) => {
  const { tiers, region } = await servingTiers(t);
  await untilKept(tiers, region);
  await tiers.master.app.close();
  await region.close();
  const again = await tiers.startRegion(region);
  t.match(await statusOf(again), { ready: true });
  const newEdge = await tiers.startEdge(again.url, { name: 'e2' });
  await untilVersion(newEdge, 1);
  t.equal(await newEdge.verdictOn({ accessKeyId: ANN }), 'served');
});

t.test('in memory only, a restart with all above down finds nothing, and nothing is on disk', async (t) => {
  const kept = await servingTiers(t);
  await untilKept(kept.tiers, kept.edge);
  await kept.region.close();
  await kept.edge.close();
  t.ok(existsSync(join(kept.edge.stateFolder, 'key-cache', 'service-keys', '20261122.sealed')));
  const env = { KEYD_KEY_CACHE: 'memory' };
  const again = await kept.tiers.startEdge(kept.region.url, { ...kept.edge, env });
  t.equal(await again.verdictOn(), 'keys-unavailable');
  t.notOk(existsSync(join(again.stateFolder, 'key-cache')), 'what an earlier setting left is gone');
  t.match(await statusOf(again), { ready: false, keyCache: { keptIn: 'memory' } });

  const { tiers, edge } = await servingTiers(t, env);
  await tiers.clock.advance(10_000);
  t.notOk(existsSync(join(edge.stateFolder, 'key-cache')));
});

t.test('killed before and after a revocation: the revoked key is refused, and in no file any more', async (t) => {
  const { tiers, region, edge } = await servingTiers(t);
  await untilKept(tiers, edge);
  const before = copyOf(t, edge);
  await tiers.feed.revoke({ ...today, accessKeyId: ANN });
  await untilVersion(edge, 2);
  await until(async () => (await keysOf(edge)) === 1 && (await statusOf(edge)).keyCache.isBehind === false);
  await untilFeedSaved(tiers, edge);
  await region.close();

  // What a process that is killed now would leave.
  const after = await tiers.startEdge(NOWHERE, { files: edge.files, stateFolder: copyOf(t, edge) });
  t.equal(await after.verdictOn({ accessKeyId: ANN }), 'scope-revoked');
  t.equal(await after.verdictOn({ accessKeyId: BEN }), 'served');
  t.match(told(after, 'key-cache-restored'), [{ taken: 1, denied: 0 }], 'the cache has lost it');

  // An older cache beside the newer state of the feed.
  const mixed = copyOf(t, edge);
  rmSync(join(mixed, 'key-cache'), { recursive: true });
  cpSync(join(before, 'key-cache'), join(mixed, 'key-cache'), { recursive: true });
  const rolledBack = await tiers.startEdge(NOWHERE, { files: edge.files, stateFolder: mixed });
  t.equal(await rolledBack.verdictOn({ accessKeyId: ANN }), 'scope-revoked');
  t.equal(await rolledBack.verdictOn({ accessKeyId: BEN }), 'served');
  t.match(told(rolledBack, 'key-cache-restored'), [{ taken: 1, denied: 1 }]);

  // The newer cache beside the older state of the feed: refused, or without the key; served in no case.
  const forgetful = copyOf(t, edge);
  copyFileSync(join(before, 'feed-state.json'), join(forgetful, 'feed-state.json'));
  const forgot = await tiers.startEdge(NOWHERE, { files: edge.files, stateFolder: forgetful });
  t.equal(await forgot.verdictOn({ accessKeyId: ANN }), 'keys-unavailable');
});

t.test('a cache beside a state of the feed that was put back is refused whole', async (t) => {
  const { tiers, region, edge } = await servingTiers(t);
  await untilKept(tiers, edge);
  await edge.close();
  await region.close();
  const old = copyOf(t, edge);
  for (const version of [2, 3]) {
    await tiers.feed.revoke({ ...today, accessKeyId: `AKIAOTHER${version}` });
  }
  const regionAgain = await tiers.startRegion(region);
  const again = await tiers.startEdge(regionAgain.url, edge);
  await untilVersion(again, 3);
  await untilFeedSaved(tiers, again);
  await until(async () => (await again.verdictOn({ accessKeyId: NEW })) === 'served');
  await untilKept(tiers, again);
  await again.close();
  await regionAgain.close();

  const putBack = copyOf(t, edge);
  copyFileSync(join(old, 'feed-state.json'), join(putBack, 'feed-state.json'));
  const rolledBack = await tiers.startEdge(NOWHERE, { files: edge.files, stateFolder: putBack });
  t.equal(await rolledBack.verdictOn({ accessKeyId: BEN }), 'keys-unavailable');
  t.match(told(rolledBack, 'key-cache-refused')[0], { problem: 'newer-feed', security: true, level: 'error' });
  t.same(readdirSync(join(putBack, 'key-cache', 'service-keys')), []);
  await rolledBack.close();

  const honest = await tiers.startEdge(NOWHERE, edge);
  t.equal(await honest.verdictOn({ accessKeyId: BEN }), 'served', 'beside its own it is good');
});

t.test('an old cache brings nothing back of an access key that was disabled or got a new secret', async (t) => {
  const { tiers, region, edge } = await servingTiers(t);
  await untilKept(tiers, edge);
  const before = copyOf(t, edge);
  await tiers.feed.change({ accessKeyId: ANN, status: 'enabled', secretVersion: 2 });
  await tiers.feed.change({ accessKeyId: BEN, status: 'disabled', secretVersion: 1 });
  await untilVersion(edge, 3);
  await untilFeedSaved(tiers, edge);
  await until(async () => (await statusOf(edge)).keyCache.isBehind === false);
  await region.close();
  const after = await tiers.startEdge(NOWHERE, { files: edge.files, stateFolder: copyOf(t, edge) });
  t.match(told(after, 'key-cache-restored'), [{ taken: 0, denied: 0 }], 'the cache has lost them');

  const mixed = copyOf(t, edge);
  cpSync(join(before, 'key-cache'), join(mixed, 'key-cache'), { recursive: true });
  const rolledBack = await tiers.startEdge(NOWHERE, { files: edge.files, stateFolder: mixed });
  t.match(told(rolledBack, 'key-cache-restored'), [{ taken: 0, denied: 2 }]);
  t.equal(await rolledBack.verdictOn({ accessKeyId: ANN }), 'keys-unavailable', 'signed with the old secret or not');
  t.equal(await rolledBack.verdictOn({ accessKeyId: BEN }), 'access-key-disabled');
});

t.test('killed between two savings of the feed: the cache is not taken for newer than the feed', async (t) => {
  const { tiers, region, edge } = await servingTiers(t);
  await untilKept(tiers, edge);
  await untilFeedSaved(tiers, edge);
  const saved = readFileSync(join(edge.stateFolder, 'feed-state.json'));
  // Beacons alone are saved seconds later.
  for (const version of [2, 3, 4]) {
    await tiers.feed.publish();
    await untilVersion(edge, version);
  }
  t.equal(await edge.verdictOn({ accessKeyId: NEW }), 'served');
  await tiers.clock.advance(1_000);
  await until(async () => (await statusOf(edge)).keyCache.isBehind === false);
  const stateFolder = copyOf(t, edge);
  t.same(readFileSync(join(stateFolder, 'feed-state.json')), saved);
  await region.close();
  const again = await tiers.startEdge(NOWHERE, { files: edge.files, stateFolder });
  t.equal(await again.verdictOn({ accessKeyId: NEW }), 'served');
});

t.test('a tier that hears that it is banned wipes what it holds, in memory and on disk', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  // A source of the feed that does not shut the banned out, as a copy on a web server would not.
  const small = await tiers.startSmallRegion();
  small.feed = () => {
    const { beacon, statements } = tiers.feed.newest ?? {};
    return { body: JSON.stringify({ beacon, statements }) };
  };
  const edge = await tiers.startEdge(small.url);
  await untilVersion(edge, 1);
  t.equal(await edge.verdictOn(), 'served');
  await untilKept(tiers, edge);
  const before = copyOf(t, edge);
  await tiers.feed.ban(`spiffe://${TRUST_DOMAIN}/edge/${REGION}/s3/e1`);
  await until(async () => {
    await tiers.clock.advance(FEED_BEAT_MS);
    return (await statusOf(edge)).feed.version === 2;
  });
  await until(async () => (await keysOf(edge)) === 0 && (await statusOf(edge)).keyCache.isBehind === false);
  t.same(readdirSync(join(edge.stateFolder, 'key-cache', 'service-keys')), ['uses.sealed']);
  t.match(told(edge, 'own-ban-keys-wiped'), [{ wiped: 1, security: true }]);
  t.equal(await edge.verdictOn(), 'scope-revoked', 'and takes none while it is');
  await edge.close();
  // What it held when it did not know yet does not come back.
  cpSync(join(before, 'key-cache'), join(edge.stateFolder, 'key-cache'), { recursive: true });
  const again = await tiers.startEdge(NOWHERE, edge);
  t.equal(await again.verdictOn(), 'keys-unavailable');
  t.match(told(again, 'key-cache-restored'), [{ taken: 0, denied: 1 }]);
});

t.test('renewed with a new private key while it runs: a restart finds all, with nobody above', async (t) => {
  const { tiers, region, edge } = await servingTiers(t);
  await untilKept(tiers, edge);
  const old = copyOfFiles(t, edge);
  const renewed = await tiers.authority.filesOf({ role: 'edge', region: REGION, service: 's3', name: 'e1' });
  for (const kind of ['key', 'cert'] as const) copyFileSync(renewed[kind], edge.files[kind]);
  await edge.service.reload();
  t.match(told(edge, 'key-cache-new-secret')[0], { hop: '/v1/service-keys' });
  await until(async () => (await statusOf(edge)).keyCache.isBehind === false);
  await region.close();
  const stateFolder = copyOf(t, edge);
  const again = await tiers.startEdge(NOWHERE, { files: edge.files, stateFolder });
  t.equal(await again.verdictOn(), 'served');
  const withOldKey = await tiers.startEdge(NOWHERE, { files: old, stateFolder: copyOf(t, edge) });
  t.equal(await withOldKey.verdictOn(), 'keys-unavailable', 'the old private key opens nothing any more');
  t.match(told(withOldKey, 'key-cache-refused')[0], { problem: 'other-identity' });
});
