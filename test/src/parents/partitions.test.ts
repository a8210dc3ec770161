import t, { type Test } from 'tap';
import { FeedTiers, REGION, statusOf, until, type EdgeTier, type RegionTier } from '../feed/feed-tiers.js';
import { TcpProxy } from '../support/tcp-proxy.js';

interface ParentInStatus {
  readonly url: string;
  readonly isHealthy: boolean;
  readonly isChosen: boolean;
  readonly failure?: string;
}

interface Network {
  readonly tiers: FeedTiers;
  /** Two replicas of one region: what they share is the master alone. */
  readonly near: RegionTier;
  readonly far: RegionTier;
  /** The way from the edge to each. */
  readonly toNear: TcpProxy;
  readonly toFar: TcpProxy;
  readonly edge: EdgeTier;
  /** Signs with this access key. */
  readonly verdictOn: (accessKeyId: string) => Promise<string>;
}

/** A master, two replicas of a region and an edge, over real mTLS through networks that can break. */
async function setUp(t: Test): Promise<Network> {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const near = await tiers.startRegion({ name: 'near' });
  const far = await tiers.startRegion({ name: 'far' });
  const toNear = await TcpProxy.to(t, near.url);
  const toFar = await TcpProxy.to(t, far.url);
  const edge = await tiers.startEdge(`${toNear.url},${toFar.url}`);
  const verdictOn = (accessKeyId: string): Promise<string> => edge.verdictOn({ accessKeyId });
  await until(async () => ((await statusOf(edge)).feed.version ?? 0) > 0);
  return { tiers, near, far, toNear, toFar, edge, verdictOn };
}

async function parentsOf(edge: EdgeTier): Promise<readonly ParentInStatus[]> {
  return ((await statusOf(edge)) as unknown as { readonly parents: readonly ParentInStatus[] }).parents;
}

const asksFirst = async (edge: EdgeTier): Promise<string | undefined> =>
  (await parentsOf(edge)).find(({ isChosen }) => isChosen)?.url;

/** Lets probes fall due until the edge's view is the expected one. */
async function untilFirst({ tiers, edge }: Network, proxy: TcpProxy): Promise<void> {
  while ((await asksFirst(edge)) !== proxy.url) {
    await tiers.clock.advance(100);
    await new Promise(setImmediate);
  }
}

/** Until the edge has asked a replica and is to look for another one in a moment: no other alarm is as near. */
const untilAsked = ({ timer }: FeedTiers): Promise<void> => until(() => timer.isDueWithin(1_000));

/** Access keys whose kService an edge asked of a replica. */
const askedOf = (region: RegionTier): number =>
  region.log.filter((line) => line.includes('service-keys-issued') && line.includes('"issued":1')).length;

t.test('a replica dies: the edge goes to the other within the request, and comes back', async (t) => {
  const network = await setUp(t);
  const { near, far, toNear, toFar, edge, verdictOn } = network;
  t.equal(await verdictOn('AKIAFEEDANN'), 'served');
  t.same([askedOf(near), askedOf(far)], [1, 0]);
  t.equal(await asksFirst(edge), toNear.url);

  toNear.refuse();
  t.equal(await verdictOn('AKIAFEEDBEN'), 'served', 'a key that nobody below the master held');
  t.same([askedOf(near), askedOf(far)], [1, 1], 'the other replica asked the master for itself');
  t.equal(await asksFirst(edge), toFar.url);
  t.match(await parentsOf(edge), [
    { url: toNear.url, isHealthy: false, failure: /./ },
    { url: toFar.url, isHealthy: true },
  ]);

  toNear.open();
  await untilFirst(network, toNear);
  t.equal(await verdictOn('AKIAFEEDNEW'), 'served');
  t.same([askedOf(near), askedOf(far)], [2, 1], 'the nearest again');
});

t.test('a partition without a word: half-open connections cost one short wait, then none', async (t) => {
  const network = await setUp(t);
  const { tiers, near, far, toNear, toFar, edge, verdictOn } = network;
  t.equal(await verdictOn('AKIAFEEDANN'), 'served');
  toNear.silence();
  const verdict = verdictOn('AKIAFEEDBEN');
  await untilAsked(tiers);
  await tiers.timer.advance(1_000);
  t.equal(await verdict, 'served', 'over a connection that looks alive');
  t.equal(askedOf(far), 1);
  t.equal(await asksFirst(edge), toFar.url);
  t.equal(await verdictOn('AKIAFEEDNEW'), 'served');
  t.equal(askedOf(far), 2, 'straight to the other');
  t.equal(askedOf(near), 1);

  toNear.open();
  await untilFirst(network, toNear);
  t.pass('and back when the network is');
});

t.test('an answer that is cut off midway comes from the other replica', async (t) => {
  const { near, far, toNear, verdictOn } = await setUp(t);
  t.equal(await verdictOn('AKIAFEEDANN'), 'served');
  toNear.cutAfterBytes = 100;
  t.equal(await verdictOn('AKIAFEEDBEN'), 'served');
  t.equal(askedOf(far), 1);
  t.ok(askedOf(near) >= 1);
});

t.test('one replica cut off from the master: edges are served by the one that is not', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const toMaster = await TcpProxy.to(t, tiers.masterUrl);
  const near = await tiers.startRegion({ name: 'near', env: { KEYD_MASTERS: toMaster.url } });
  const far = await tiers.startRegion({ name: 'far' });
  const edge = await tiers.startEdge(`${near.url},${far.url}`);
  await until(async () => ((await statusOf(edge)).feed.version ?? 0) > 0);
  t.equal(await edge.verdictOn({ accessKeyId: 'AKIAFEEDANN' }), 'served');
  toMaster.refuse();
  t.equal(await edge.verdictOn({ accessKeyId: 'AKIAFEEDBEN' }), 'served');
  t.same([askedOf(near), askedOf(far)], [1, 1]);
  t.equal(await asksFirst(edge), near.url, 'it holds the keys of today and is not to blame');
});

t.test('everything is cut: what is held is served, and nobody waits for it', async (t) => {
  const { tiers, toNear, toFar, verdictOn } = await setUp(t);
  t.equal(await verdictOn('AKIAFEEDANN'), 'served');
  toNear.silence();
  toFar.refuse();
  const slow = verdictOn('AKIAFEEDBEN');
  for (let request = 0; request < 20; request += 1) t.equal(await verdictOn('AKIAFEEDANN'), 'served');
  await untilAsked(tiers);
  await tiers.timer.advance(5_000);
  t.equal(await slow, 'keys-unavailable');
  t.equal(
    tiers.master.asked.every(({ region }) => region === REGION),
    true,
  );
});
