import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { FEED_BEAT_MS, mtlsKeySource, PeerClient, SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import type { AccessKeyChange, FeedDocument } from '@sigv4-keyd/revocation';
import t, { type Test } from 'tap';
import { NOW, presigned, SECRET, send } from '../edge-verifier/client.js';
import { createFeedKeys, Publisher } from '../revocation/publisher.js';
import { day } from '../support/days.js';
import { TestFeed } from '../support/test-feed.js';
import { ANN, BEN, FeedTiers, NEW, REGION, statusOf, told, until, untilVersion } from './feed-tiers.js';
import type { EdgeTier, RegionTier, Tier } from './feed-tiers.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

// Whole tiers, one after the other.
t.setTimeout(170_000);

const TODAY = day('20261122');
const NEW_SECRET = 'another-secret-that-must-never-leave-the-tests';

type Told = Omit<AccessKeyChange, 'change'>;

function enabled(accessKeyId: string, parts: Partial<Told> = {}): Told {
  return { accessKeyId, status: 'enabled', secretVersion: 1, ...parts };
}

interface Below {
  readonly tiers: FeedTiers;
  readonly region: RegionTier;
  readonly edge: EdgeTier;
}

async function started(t: Test): Promise<Below> {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion();
  const edge = await tiers.startEdge(region.url);
  await untilVersion(edge, 1);
  return { tiers, region, edge };
}

async function keysOf(tier: Tier): Promise<number> {
  return (await statusOf(tier)).heldDays.reduce((sum, { keys }) => sum + keys, 0);
}

t.test('each kind of change is judged at the edge as soon as the long poll brings it', async (t) => {
  const { tiers, region, edge } = await started(t);
  for (const accessKeyId of [ANN, BEN]) t.equal(await edge.verdictOn({ accessKeyId }), 'served');
  const asked = tiers.master.asked.length;
  const url = presigned({ accessKeyId: ANN, now: NOW, expiresSeconds: 3_600 });
  const verdicts = async (): Promise<readonly string[]> => {
    const { status, headers } = await send(edge.service.addresses['proxy'] ?? '', url);
    return [await edge.verdictOn(), status === 200 ? 'served' : String(headers['x-keyd-reason'])];
  };
  const changes: readonly (readonly [change: Partial<Told>, verdict: string])[] = [
    [{ services: ['sqs'] }, 'access-key-not-for-scope'],
    [{ services: ['s3', 'sqs'] }, 'served'],
    [{ regions: ['us-east-1'] }, 'access-key-not-for-scope'],
    [{ regions: [REGION] }, 'served'],
    [{ expiresAt: NOW }, 'access-key-expired'],
    [{ expiresAt: NOW + 1 }, 'served'],
    [{}, 'served'],
  ];
  for (const [change, verdict] of changes) {
    await tiers.feed.change(enabled(ANN, change));
    await untilVersion(edge, tiers.feed.publisher.version);
    // A key that was denied was wiped: what allows it again is followed by one lookup.
    t.same(await verdicts(), [verdict, verdict], JSON.stringify(change));
  }
  await tiers.feed.change(enabled(ANN, { status: 'disabled' }));
  await until(async () => (await edge.verdictOn()) === 'access-key-disabled');
  t.same(await verdicts(), ['access-key-disabled', 'access-key-disabled']);
  const beforeDenial = tiers.master.asked.length;
  t.ok(beforeDenial > asked, 'the master was asked where a wiped key was good again');
  await tiers.feed.change(enabled(ANN, { status: 'deleted' }));
  await untilVersion(edge, tiers.feed.publisher.version);
  t.same(await verdicts(), ['access-key-unknown', 'access-key-unknown']);
  t.equal(tiers.master.asked.length, beforeDenial, 'nobody is asked for what is denied');
  t.equal(tiers.clock.now(), NOW, 'no time has passed');
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served', 'whoever is not named goes on');
  t.same([await keysOf(region), await keysOf(edge)], [1, 1], 'held is what is good');
  t.match((await statusOf(edge)).feed, { accessKeyChanges: 1 });
  t.ok(told(edge, 'denied-keys-wiped').length > 0);
});

t.test('what is disabled is fetched anew when it is enabled, and what was absent is forgotten at once', async (t) => {
  const { tiers, edge } = await started(t);
  const known = tiers.master.accessKeys.get(ANN)!;
  tiers.master.accessKeys.delete(ANN);
  t.equal(await edge.verdictOn(), 'access-key-unknown');
  tiers.master.accessKeys.set(ANN, known);
  t.equal(await edge.verdictOn(), 'access-key-unknown', 'remembered for some seconds');
  await tiers.feed.change(enabled(ANN));
  await until(async () => (await edge.verdictOn()) === 'served');
  t.equal(tiers.clock.now(), NOW, 'an access key that was imported works as soon as the feed tells of it');

  tiers.master.accessKeys.set(ANN, { ...known, absence: 'disabled' });
  await tiers.feed.change(enabled(ANN, { status: 'disabled' }));
  await until(async () => (await edge.verdictOn()) === 'access-key-disabled');
  tiers.master.accessKeys.set(ANN, known);
  await tiers.feed.change(enabled(ANN));
  await until(async () => (await edge.verdictOn()) === 'served');
  t.equal(tiers.clock.now(), NOW);
});

t.test('a new secret: held keys of the old one are wiped and fetched anew, and none of them comes back', async (t) => {
  const { tiers, region, edge } = await started(t);
  t.equal(await edge.verdictOn(), 'served');
  const old = tiers.master.accessKeys.get(ANN)!;
  // The master that answers has not heard of it yet: what it gives is not used, and not held.
  await tiers.feed.change(enabled(ANN, { secretVersion: 2 }));
  await untilVersion(edge, tiers.feed.publisher.version);
  t.equal(await edge.verdictOn(), 'keys-unavailable');
  t.same([await keysOf(region), await keysOf(edge)], [0, 0]);

  tiers.master.accessKeys.set(ANN, { ...old, secretAccessKey: NEW_SECRET, version: 2 });
  await tiers.clock.advance(1_000);
  await until(async () => (await edge.verdictOn({ secret: NEW_SECRET })) === 'served');
  t.equal(await edge.verdictOn({ secret: SECRET }), 'signature-mismatch', 'the old secret signs nothing any more');

  tiers.master.accessKeys.set(BEN, { ...old, secretAccessKey: NEW_SECRET, version: 7 });
  await tiers.feed.change(enabled(BEN, { secretVersion: 5 }));
  await untilVersion(edge, tiers.feed.publisher.version);
  t.equal(await edge.verdictOn({ accessKeyId: BEN, secret: NEW_SECRET }), 'served', 'keys may be ahead of the feed');
});

t.test('the region issues nothing that the feed denies', async (t) => {
  const { tiers, region } = await started(t);
  const credentials = await tiers.authority.credentials({ role: 'edge', region: REGION, service: 's3', name: 'e9' });
  const dispatcher = createMtlsAgent({ credentials, timer: STANDING_TIMER, acceptsServer: () => true });
  t.teardown(() => dispatcher.close());
  const client = new PeerClient({ urls: [new URL(region.url)], dispatcher, timer: STANDING_TIMER });
  const keys = mtlsKeySource(SERVICE_KEYS, { region: REGION, service: 's3' }, client);
  const absences = async (): Promise<unknown> =>
    Object.fromEntries((await keys.issue({ date: TODAY, accessKeyIds: [ANN, BEN, NEW] })).absent);
  t.same(await absences(), {});
  t.equal(await keysOf(region), 3);
  await tiers.feed.change(
    enabled(ANN, { status: 'disabled' }),
    enabled(BEN, { services: ['sqs'] }),
    enabled(NEW, { expiresAt: NOW }),
  );
  await untilVersion(region, tiers.feed.publisher.version);
  t.same(await absences(), { [ANN]: 'disabled', [BEN]: 'not-for-scope', [NEW]: 'expired' });
  t.equal(await keysOf(region), 1, 'kRegion of Ben is good for other services');
});

t.test('a change that comes while a key is on its way takes it, too', async (t) => {
  const { tiers, edge } = await started(t);
  let answer = (): void => undefined;
  const held = new Promise<void>((resolve) => (answer = resolve));
  const before = tiers.master.asked.length;
  tiers.master.delay = held;
  const verdict = edge.verdictOn();
  await until(() => tiers.master.asked.length > before);
  await tiers.feed.change(enabled(ANN, { status: 'disabled' }));
  await untilVersion(edge, tiers.feed.publisher.version);
  answer();
  t.equal(await verdict, 'access-key-disabled');
  t.equal(await keysOf(edge), 0);
});

t.test('a restart keeps what was changed, with all above gone; so does a kill', async (t) => {
  const { tiers, region, edge } = await started(t);
  await tiers.feed.change(enabled(ANN, { status: 'disabled' }), enabled(BEN, { services: ['sqs'] }));
  await untilVersion(edge, tiers.feed.publisher.version);
  const file = join(edge.stateFolder, 'feed-state.json');
  const { beacon } = tiers.feed.newest ?? {};
  await until(() => existsSync(file) && readFileSync(file, 'utf8').includes(String(beacon)));
  // The first is still running: this is what a process that was killed would have left.
  for (const name of ['e2', 'e3']) {
    const again = await tiers.startEdge('https://127.0.0.1:1', { stateFolder: edge.stateFolder, name });
    t.equal(await again.verdictOn({ accessKeyId: ANN }), 'access-key-disabled');
    t.equal(await again.verdictOn({ accessKeyId: BEN }), 'access-key-not-for-scope');
    t.equal(await again.verdictOn({ accessKeyId: NEW }), 'keys-unavailable');
    await again.close();
    await edge.close();
  }
  await region.close();
  await tiers.master.app.close();
  const regionAgain = await tiers.startRegion({ stateFolder: region.stateFolder });
  const below = await tiers.startEdge(regionAgain.url, { name: 'e4' });
  await untilVersion(below, tiers.feed.publisher.version);
  t.equal(await below.verdictOn({ accessKeyId: ANN }), 'access-key-disabled', 'a region relays what it had saved');
});

const HARD_SECONDS = 30;
const env = { KEYD_SOFT_HORIZON: '20s', KEYD_HARD_HORIZON: `${HARD_SECONDS}s` };

async function judgedBy(edge: EdgeTier): Promise<number> {
  const { sources } = (await statusOf(edge)).feed;
  return sources.reduce((sum, { accepted, refused }) => sum + accepted + refused, 0);
}

/** A region that was honest so far: Ann is disabled, Ben is good. What it says next is up to the test. */
async function underAttack(t: Test) {
  const tiers = await FeedTiers.start(t);
  const region = await tiers.startSmallRegion();
  const { publisher } = tiers.feed;
  const before = await tiers.feed.document();
  await publisher.change(NOW, enabled(ANN, { status: 'disabled' }), enabled(BEN));
  let served: FeedDocument = await tiers.feed.document();
  region.feed = () => ({ body: JSON.stringify(served) });
  const edge = await tiers.startEdge(region.url, { env });
  await untilVersion(edge, publisher.version);
  t.equal(await edge.verdictOn(), 'access-key-disabled');
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served');
  const serve = async (document: FeedDocument): Promise<void> => {
    served = document;
    const judged = await judgedBy(edge);
    await tiers.clock.advance(FEED_BEAT_MS);
    await until(async () => (await judgedBy(edge)) > judged);
  };
  return { tiers, region, edge, publisher, before, serve };
}

t.test('a region that replays, mixes or forges pages enables nothing', async (t) => {
  const { tiers, edge, publisher, before, serve } = await underAttack(t);
  await publisher.change(NOW, enabled(ANN));
  const enabling = publisher.pages.map(({ jws }) => jws);
  await publisher.change(NOW, enabled(ANN, { status: 'disabled' }));
  await serve(await tiers.feed.document());
  const disabling = publisher.pages.map(({ jws }) => jws);
  const stranger = TestFeed.with(await createFeedKeys(), tiers.clock);
  await stranger.publisher.change(NOW, enabled(ANN));
  const foreign = new Publisher({ ...(await createFeedKeys()), beacon: publisher.keys.beacon });
  await foreign.change(NOW, enabled(ANN));
  const attacks: Readonly<Record<string, () => Promise<FeedDocument>>> = {
    'the feed of before': () => Promise.resolve(before),
    'the page of before under the beacon of now': async () => ({
      ...(await tiers.feed.document()),
      statements: enabling,
    }),
    'both pages': async () => ({ ...(await tiers.feed.document()), statements: [...enabling, ...disabling] }),
    'no page at all': async () => ({ ...(await tiers.feed.document()), statements: [] }),
    'a feed of its own': () => stranger.document(),
    'a page of its own': async () => ({
      ...(await tiers.feed.document()),
      statements: [...disabling, ...foreign.pages.map(({ jws }) => jws)],
    }),
    'a page in two halves': async () => ({
      ...(await tiers.feed.document()),
      statements: disabling.flatMap((jws) => [jws.slice(0, 200), jws.slice(200)]),
    }),
  };
  for (const [name, attack] of Object.entries(attacks)) {
    await serve(await attack());
    t.equal(await edge.verdictOn(), 'access-key-disabled', name);
    // In between the region is honest, so that nothing goes stale.
    await serve(await tiers.feed.document());
    t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served', `after ${name}`);
  }
});

t.test('a region that withholds a change is believed until the hard horizon, and no longer', async (t) => {
  const { tiers, edge, publisher } = await underAttack(t);
  await publisher.change(tiers.clock.now(), enabled(BEN, { status: 'disabled' }));
  const published = tiers.clock.now();
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served', 'it cannot know');
  await tiers.clock.moveTo(published + HARD_SECONDS * 1000);
  await until(async () => (await statusOf(edge)).feed.freshness === 'soft');
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served');
  await tiers.clock.advance(1);
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'feed-stale', 'nothing is served past the hard horizon');
  t.equal(await edge.verdictOn(), 'feed-stale');
  const honest = await tiers.startRegion({ name: 'r2' });
  await tiers.feed.publish();
  await untilVersion(honest, publisher.version);
});

t.test('one honest source among several is enough', async (t) => {
  const { tiers, region, publisher } = await underAttack(t);
  const honest = await tiers.startRegion({ name: 'r2' });
  const edge = await tiers.startEdge(`${region.url},${honest.url}`, { name: 'e2' });
  await publisher.change(tiers.clock.now(), enabled(BEN, { status: 'disabled' }));
  await tiers.feed.publish();
  await until(async () => (await edge.verdictOn({ accessKeyId: BEN })) === 'access-key-disabled');
});
