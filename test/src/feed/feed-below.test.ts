import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { FEED_BEAT_MS, mtlsKeySource, PeerClient, SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import t from 'tap';
import { z } from 'zod';
import { NOW, presigned, send } from '../edge-verifier/client.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { ANN, BEN, FeedTiers, NEW, NEW_SINCE, REGION, statusOf, told } from './feed-tiers.js';
import { until, untilVersion, type Tier } from './feed-tiers.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

// Whole tiers, one after the other.
t.setTimeout(120_000);

const TODAY = day('20261122');
const today = { from: TODAY, to: TODAY, region: REGION };

t.test('a statement takes effect at the edge without any beat: the long poll carries it', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion();
  const edge = await tiers.startEdge(region.url);
  await untilVersion(edge, 1);
  t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'served');
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served');

  await tiers.feed.revoke({ ...today, accessKeyId: ANN });
  await until(async () => (await edge.verdictOn({ accessKeyId: ANN })) === 'scope-revoked');
  t.equal(tiers.clock.now(), NOW, 'no time has passed');
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served', 'whoever is not named is not hit');
  const url = presigned({ accessKeyId: ANN, now: NOW });
  t.match(await send(edge.service.addresses['proxy'] ?? '', url), {
    status: 403,
    headers: { 'x-keyd-reason': 'scope-revoked' },
    body: /AccessDenied/,
  });
  const asked = tiers.master.asked.length;
  t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'scope-revoked');
  t.equal(tiers.master.asked.length, asked, 'the tiers above are not asked for what is denied');
});

t.test('a statement wipes the keys that it hits: at the edge, at the region, and what was under way', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion();
  const edge = await tiers.startEdge(region.url);
  await untilVersion(edge, 1);
  for (const accessKeyId of [ANN, BEN, NEW]) t.equal(await edge.verdictOn({ accessKeyId }), 'served');
  const keysOf = async (tier: Tier): Promise<number> => (await statusOf(tier)).heldDays[0]?.keys ?? 0;
  t.same([await keysOf(region), await keysOf(edge)], [3, 3]);

  const credentials = await tiers.authority.credentials({ role: 'edge', region: REGION, service: 's3', name: 'e2' });
  const dispatcher = createMtlsAgent({ credentials, timer: STANDING_TIMER, acceptsServer: () => true });
  t.teardown(() => dispatcher.close());
  const client = new PeerClient({ urls: [new URL(region.url)], dispatcher, timer: STANDING_TIMER });
  const keys = mtlsKeySource(SERVICE_KEYS, { region: REGION, service: 's3' }, client);

  // For one service: the region needs its kRegion for the others.
  await tiers.feed.revoke({ ...today, accessKeyId: ANN, service: 's3' });
  await until(async () => (await keysOf(edge)) === 2);
  t.equal(await keysOf(region), 3);
  const one = await keys.issue({ date: TODAY, accessKeyIds: [ANN] });
  t.same(one.absent, new Map([[ANN, 'revoked']]), 'but issues nothing of that service');
  // For the region: all but the access key that was made since.
  await tiers.feed.revoke({ ...today, issuedBefore: NEW_SINCE });
  await until(async () => (await keysOf(edge)) === 1);
  t.equal(await keysOf(region), 1);

  t.equal(await edge.verdictOn({ accessKeyId: NEW }), 'served');
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'scope-revoked');
  t.match(told(edge, 'denied-keys-wiped'), [{ wiped: 1 }, { wiped: 1 }]);

  const answer = await keys.issue({ date: TODAY, accessKeyIds: [ANN, BEN, NEW] });
  t.same(
    answer.absent,
    new Map([
      [ANN, 'revoked'],
      [BEN, 'revoked'],
    ]),
    'the region issues no such key',
  );
  t.same([...answer.issued.keys()], [NEW]);
  t.equal(await keysOf(region), 1, 'nor does it hold one again');
});

t.test('a lift lets back what it names, once its beacon is accepted', async (t) => {
  const tiers = await FeedTiers.start(t);
  const signed = await tiers.feed.revoke({ ...today, accessKeyId: ANN });
  const region = await tiers.startRegion();
  const edge = await tiers.startEdge(region.url);
  await untilVersion(edge, 1);
  t.equal(await edge.verdictOn(), 'scope-revoked');
  await tiers.feed.publisher.lift(signed);
  await tiers.feed.publish();
  await until(async () => (await edge.verdictOn()) === 'served');
});

t.test('with the long poll cut, news are there within two beats', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const small = await tiers.startSmallRegion();
  small.feed = () => ({ body: JSON.stringify(tiers.feed.newest && documentOf(tiers)) });
  const edge = await tiers.startEdge(small.url);
  await untilVersion(edge, 1);
  t.equal(await edge.verdictOn(), 'served');
  await tiers.feed.revoke({ ...today, accessKeyId: ANN });
  await tiers.clock.advance(2 * FEED_BEAT_MS);
  await until(async () => (await edge.verdictOn()) === 'scope-revoked');
  t.equal(tiers.clock.now(), NOW + 2 * FEED_BEAT_MS);
  t.ok(
    small.asked.some(({ wait }) => wait > 0),
    'there was a long poll, which brought nothing',
  );
});

function documentOf({ feed: { newest } }: FeedTiers): object {
  return { beacon: newest?.beacon, statements: newest?.statements };
}

t.test('a restart keeps what was revoked, with all above gone', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.revoke({ ...today, accessKeyId: ANN });
  const region = await tiers.startRegion();
  const edge = await tiers.startEdge(region.url);
  await untilVersion(edge, 1);
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served');
  await edge.close();
  await region.close();
  const file = join(edge.stateFolder, 'feed-state.json');
  t.equal(statSync(file).mode & 0o777, 0o600);

  const again = await tiers.startEdge(region.url, { stateFolder: edge.stateFolder });
  t.equal(await again.verdictOn({ accessKeyId: ANN }), 'scope-revoked');
  t.equal(await again.verdictOn({ accessKeyId: BEN }), 'keys-unavailable', 'fresh enough to ask for keys');
  t.match((await statusOf(again)).feed, { version: 1, statements: 1, freshness: 'fresh' });

  await tiers.master.app.close();
  const regionAgain = await tiers.startRegion({ stateFolder: region.stateFolder });
  const below = await tiers.startEdge(regionAgain.url, { name: 'e2' });
  await untilVersion(below, 1);
  t.equal(await below.verdictOn({ accessKeyId: ANN }), 'scope-revoked', 'a region relays what it had saved');
});

t.test('a kill at any moment leaves the last state: it is saved the moment a statement is in force', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion();
  const edge = await tiers.startEdge(region.url);
  await untilVersion(edge, 1);
  await tiers.feed.revoke({ ...today, accessKeyId: ANN });
  const file = join(edge.stateFolder, 'feed-state.json');
  const { beacon } = tiers.feed.newest ?? {};
  await until(() => existsSync(file) && readFileSync(file, 'utf8').includes(String(beacon)));
  // The first is still running: this is what a process that was killed would have left.
  const again = await tiers.startEdge('https://127.0.0.1:1', { stateFolder: edge.stateFolder, name: 'e2' });
  t.equal(await again.verdictOn({ accessKeyId: ANN }), 'scope-revoked');
});

t.test('a state file that was tampered with is told, set aside, and worth nothing', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.revoke({ ...today, accessKeyId: ANN });
  const region = await tiers.startRegion();
  const edge = await tiers.startEdge(region.url);
  await untilVersion(edge, 1);
  await edge.close();
  const file = join(edge.stateFolder, 'feed-state.json');
  const good = readFileSync(file, 'utf8');
  const state = JSON.parse(good) as { named: string[] };
  const tampered: Readonly<Record<string, string>> = {
    'a statement cut': JSON.stringify({ ...state, named: [] }),
    'a statement edited': good.replace(state.named[0] ?? '', (state.named[0] ?? '').replace('.ey', '.eY')),
    'half a file': good.slice(0, good.length / 2),
    'no JSON': 'nothing',
    'an empty file': '',
    'another form': '{"format":"another"}',
  };
  for (const [what, text] of Object.entries(tampered)) {
    await tiers.clock.advance(1_000);
    writeFileSync(file, text);
    const again = await tiers.startEdge('https://127.0.0.1:1', { stateFolder: edge.stateFolder });
    t.equal(await again.verdictOn({ accessKeyId: BEN }), 'feed-stale', `${what}: nothing is served`);
    const [line] = told(again, 'feed-state-refused');
    t.match(line, { level: 'error', security: true, aside: String }, what);
    t.equal(readFileSync(String(line?.['aside']), 'utf8'), text, `${what}: kept for inquiry`);
    t.match(await statusOf(again), { ready: false, notReady: [/reached/, /no beacon/] });
    await again.close();
  }
  const fed = await tiers.startEdge(region.url, { stateFolder: edge.stateFolder });
  await untilVersion(fed, 1);
  t.equal(await fed.verdictOn({ accessKeyId: ANN }), 'scope-revoked', 'a source puts it right');
  t.equal(await fed.verdictOn({ accessKeyId: BEN }), 'served');
});

t.test('the horizons, to the millisecond, and back by itself', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const small = await tiers.startSmallRegion();
  small.feed = () => ({ body: JSON.stringify(documentOf(tiers)) });
  const env = { KEYD_SOFT_HORIZON: '20s', KEYD_HARD_HORIZON: '30s', KEYD_CLOCK_SKEW: '10s' };
  const edge = await tiers.startEdge(small.url, { env });
  await untilVersion(edge, 1);
  const facts = async (): Promise<unknown> => {
    const { ready, warnings, feed } = await statusOf(edge);
    const ofFeed = warnings.filter((text) => text.includes('the revocation feed'));
    return { verdict: await edge.verdictOn(), ready, freshness: feed.freshness, warnings: ofFeed.length };
  };
  await until(async () => (await edge.verdictOn()) === 'served' && (await statusOf(edge)).ready);
  await tiers.clock.moveTo(NOW + 20_000);
  t.same(await facts(), { verdict: 'served', ready: true, freshness: 'fresh', warnings: 0 });
  await tiers.clock.advance(1);
  t.same(await facts(), { verdict: 'served', ready: true, freshness: 'soft', warnings: 1 });
  await tiers.clock.moveTo(NOW + 30_000);
  t.same(await facts(), { verdict: 'served', ready: true, freshness: 'soft', warnings: 1 });
  await tiers.clock.advance(1);
  t.same(await facts(), { verdict: 'feed-stale', ready: false, freshness: 'hard', warnings: 1 });
  await tiers.clock.advance(60_000);
  t.same(await facts(), { verdict: 'feed-stale', ready: false, freshness: 'hard', warnings: 1 });
  const changes = ['fresh', 'soft', 'hard'];
  t.same(
    told(edge, 'feed-freshness').map(({ freshness }) => freshness),
    changes,
    'told once a change',
  );

  await tiers.feed.publish();
  await tiers.clock.advance(FEED_BEAT_MS);
  await until(async () => (await edge.verdictOn()) === 'served');
  t.match(await facts(), { ready: true, freshness: 'fresh', warnings: 0 });
  t.equal(told(edge, 'feed-freshness').at(-1)?.['freshness'], 'fresh');
});

t.test('an edge that was never fed denies: silence is no news, not good news', async (t) => {
  const tiers = await FeedTiers.start(t);
  const small = await tiers.startSmallRegion();
  const edge = await tiers.startEdge(small.url);
  t.equal(await edge.verdictOn(), 'feed-stale');
  t.equal(small.parent.requests.length, 0, 'no key is even asked for');
});

t.test('a ban shuts an edge out of its region at once, live connections included, until it is let back', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion();
  await untilVersion(region, 1);
  const clientOf = async (name: string): Promise<PeerClient> => {
    const credentials = await tiers.authority.credentials({ role: 'edge', region: REGION, service: 's3', name });
    const dispatcher = createMtlsAgent({ credentials, timer: STANDING_TIMER, acceptsServer: () => true });
    t.teardown(() => dispatcher.close());
    return new PeerClient({ urls: [new URL(region.url)], dispatcher, timer: STANDING_TIMER });
  };
  const [banned, other] = [await clientOf('e-banned'), await clientOf('e-other')];
  const keys = (client: PeerClient) =>
    mtlsKeySource(SERVICE_KEYS, { region: REGION, service: 's3' }, client).issue({ date: TODAY, accessKeyIds: [ANN] });
  const wait = (client: PeerClient): Promise<unknown> =>
    client.call({ method: 'GET', path: '/v1/feed?version=2&wait=25', answer: z.unknown(), timeoutMs: 60_000 });
  t.equal((await keys(banned)).issued.size, 1);

  const waiting = wait(banned);
  waiting.catch(() => undefined);
  const honest = wait(other);
  honest.catch(() => undefined);
  await keys(other);
  await tiers.feed.ban(`spiffe://${TRUST_DOMAIN}/edge/${REGION}/s3/e-banned`);
  await t.rejects(waiting, { code: 'parent-unavailable' }, 'its live connection ends');
  await t.rejects(keys(banned), { code: 'identity-banned' });
  t.equal((await keys(other)).issued.size, 1);
  t.match(told(region, 'identities-banned'), [{ security: true, closed: Number }]);

  await tiers.feed.publish();
  await honest;
  await t.rejects(keys(banned), { code: 'identity-banned' }, 'as long as beacons name it');
  await tiers.feed.ban();
  await until(() =>
    keys(banned).then(
      () => true,
      () => false,
    ),
  );
});
