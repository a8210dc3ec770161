import { FEED_BEAT_MS } from '@sigv4-keyd/hop-protocol';
import { signBeacon, signStatement, type FeedDocument } from '@sigv4-keyd/revocation';
import t, { type Test } from 'tap';
import { createFeedKeys, liftOf, revocation, type FeedKeys } from '../revocation/publisher.js';
import { day } from '../support/days.js';
import type { FeedReply, SmallRegion } from '../support/small-region.js';
import { ANN, BEN, FeedTiers, REGION, statusOf, told, until, untilVersion, type EdgeTier } from './feed-tiers.js';

// Many edges, one after the other.
t.setTimeout(120_000);

const TODAY = day('20261122');
const today = { from: TODAY, to: TODAY, region: REGION };
const HARD_SECONDS = 30;
const env = { KEYD_SOFT_HORIZON: '20s', KEYD_HARD_HORIZON: `${HARD_SECONDS}s` };

type Document = FeedDocument & { readonly statements: readonly string[] };

function reply(document: FeedDocument): FeedReply {
  return { body: JSON.stringify(document) };
}

/** An edge below a region that was honest so far: Ann is revoked, Ben is not, all is fresh. */
async function underAttack(t: Test): Promise<{
  readonly tiers: FeedTiers;
  readonly region: SmallRegion & { readonly url: string };
  readonly edge: EdgeTier;
  readonly foreign: FeedKeys;
  /** What the region relayed last. */
  readonly relayed: Document;
}> {
  const tiers = await FeedTiers.start(t);
  const region = await tiers.startSmallRegion();
  await tiers.feed.publisher.revoke({ ...today, accessKeyId: ANN });
  const relayed = await tiers.feed.document();
  region.feed = () => reply(relayed);
  const edge = await tiers.startEdge(region.url, { env });
  await untilVersion(edge, 1);
  return { tiers, region, edge, foreign: await createFeedKeys(), relayed };
}

type Attack = Awaited<ReturnType<typeof underAttack>>;

/** Lets some beats pass, each until its answer was judged. */
async function beats({ tiers, region, edge }: Attack, number: number): Promise<void> {
  for (let beat = 0; beat < number; beat += 1) {
    const asked = region.asked.length;
    const judged = await judgedBy(edge);
    await tiers.clock.advance(FEED_BEAT_MS);
    await until(async () => region.asked.length > asked && (await judgedBy(edge)) > judged);
  }
}

async function judgedBy(edge: EdgeTier): Promise<number> {
  const { sources } = (await statusOf(edge)).feed;
  return sources.reduce((sum, { accepted, refused }) => sum + accepted + refused, 0);
}

interface Lie {
  readonly tells: object;
  /** The document without the lie is good. */
  readonly rest?: 'true';
  readonly lie: (attack: Attack) => Promise<FeedDocument>;
}

/** What the region serves in place of the truth, and how the edge tells it. */
const LIES: Readonly<Record<string, Lie>> = {
  'a revocation forged with a key of its own': {
    rest: 'true',
    tells: { event: 'feed-statement-refused', code: 'unknown-key' },
    lie: async ({ tiers, foreign, relayed }) => {
      const forged = await signStatement(revocation({ ...today, accessKeyId: BEN }), foreign.revocation);
      return { ...(await tiers.feed.document()), statements: [...relayed.statements, forged] };
    },
  },
  'a lift forged with a key of its own': {
    rest: 'true',
    tells: { event: 'feed-statement-refused', code: 'unknown-key' },
    lie: async ({ tiers, foreign, relayed }) => {
      const [first] = await verifiedOf(tiers);
      const forged = await signStatement(liftOf(first!), foreign.root);
      return { ...(await tiers.feed.document()), statements: [...relayed.statements, forged] };
    },
  },
  'a beacon forged with a key of its own, naming the empty set': {
    tells: { event: 'feed-document-refused', code: 'unknown-key' },
    lie: async ({ tiers, foreign }) => {
      const at = new Date(tiers.clock.now()).toISOString();
      const expires = new Date(tiers.clock.now() + 3_600_000).toISOString();
      const empty = { count: 0, setHash: 'e'.repeat(64), banned: [], at, expires };
      return { beacon: await signBeacon({ version: 99, ...empty }, foreign.beacon), statements: [] };
    },
  },
  'a beacon edited to a later version': {
    tells: { event: 'feed-document-refused', code: 'bad-signature' },
    lie: ({ relayed }) => {
      const [header = '', payload = '', signature = ''] = relayed.beacon.split('.');
      const content = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      const edited = Buffer.from(JSON.stringify({ ...content, version: 99 })).toString('base64url');
      return Promise.resolve({ ...relayed, beacon: [header, edited, signature].join('.') });
    },
  },
  'a statement edited': {
    tells: { event: 'feed-statement-refused', code: 'bad-signature' },
    lie: async ({ tiers, relayed }) => {
      const [header = '', payload = '', signature = ''] = (relayed.statements[0] ?? '').split('.');
      const content = Buffer.from(payload, 'base64url').toString().replace(ANN, 'AKIANOBODY');
      const edited = [header, Buffer.from(content).toString('base64url'), signature].join('.');
      return { ...(await tiers.feed.document()), statements: [edited] };
    },
  },
  'a statement withheld from under its beacon': {
    tells: { event: 'feed-document-refused', code: 'incomplete-set' },
    lie: async ({ tiers }) => ({ ...(await tiers.feed.document()), statements: [] }),
  },
  'all statements left out, as if the set were the same': {
    tells: { event: 'feed-document-refused', code: 'incomplete-set' },
    lie: async ({ tiers }) => {
      await tiers.feed.publisher.revoke({ ...today, accessKeyId: BEN });
      return { beacon: (await tiers.feed.document()).beacon };
    },
  },
  'a beacon where a statement belongs': {
    tells: { event: 'feed-statement-refused', security: true },
    lie: async ({ tiers, relayed }) => ({ ...(await tiers.feed.document()), statements: [relayed.beacon] }),
  },
  'another beacon of a version that was there': {
    tells: { event: 'feed-document-refused', code: 'equivocation' },
    lie: async ({ tiers, relayed }) => ({
      beacon: await tiers.feed.publisher.beacon(tiers.clock.now(), relayed.statements, { version: 1 }),
      statements: relayed.statements,
    }),
  },
};

async function verifiedOf({ feed }: FeedTiers) {
  const statements = feed.publisher.published.flatMap((signed) =>
    signed.statement.kind === 'revocation' ? [{ ...signed, statement: signed.statement }] : [],
  );
  return Promise.resolve(statements);
}

for (const [what, { tells, rest, lie }] of Object.entries(LIES)) {
  t.test(`a region serves ${what}: refused, told, and denied past the hard horizon`, async (t) => {
    const attack = await underAttack(t);
    const { edge, region, tiers } = attack;
    t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served');
    await tiers.clock.advance(1_000);
    const served = reply(await lie(attack));
    region.feed = () => served;
    await beats(attack, 1);
    const lines = [...told(edge, 'feed-document-refused'), ...told(edge, 'feed-statement-refused')];
    t.ok(
      lines.some((line) => isLike(line, { ...tells, security: true, level: 'error' })),
      JSON.stringify(lines),
    );
    t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'scope-revoked', 'what is revoked stays so');
    t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served', 'nobody else is hit by it');
    t.equal((await statusOf(edge)).feed.version, rest === 'true' ? 2 : 1, 'a true rest is believed without the lie');
    await beats(attack, HARD_SECONDS / (FEED_BEAT_MS / 1000));
    t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'feed-stale');
    const again = [...told(edge, 'feed-document-refused'), ...told(edge, 'feed-statement-refused')].length;
    t.equal(again, lines.length, 'repetitions are told once a minute');

    const honest = await tiers.feed.document();
    region.feed = () => reply(honest);
    await beats(attack, 1);
    t.equal(await edge.verdictOn({ accessKeyId: ANN }), 'scope-revoked');
    t.not(await edge.verdictOn({ accessKeyId: 'AKIANOBODY' }), 'feed-stale', 'and an honest answer puts it right');
  });
}

function isLike(line: Readonly<Record<string, unknown>>, wanted: object): boolean {
  return Object.entries(wanted).every(([name, value]) => line[name] === value);
}

t.test('a region that withholds all news is told past the soft horizon and denied past the hard one', async (t) => {
  const attack = await underAttack(t);
  const { edge, region, tiers } = attack;
  await tiers.feed.publisher.revoke({ ...today, accessKeyId: BEN });
  for (const silence of [{ status: 204 }, { status: 503 }, { status: 302, headers: { location: '/v1/elsewhere' } }]) {
    region.feed = () => silence;
    await tiers.clock.advance(FEED_BEAT_MS);
  }
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'served', 'as the equation says: until the hard horizon');
  await tiers.clock.advance(HARD_SECONDS * 1000);
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'feed-stale');
  t.same(
    told(edge, 'feed-freshness').map(({ freshness }) => freshness),
    ['fresh', 'soft', 'hard'],
  );
});

t.test('a region that replays an old state un-revokes nothing; when it keeps at it, it is told', async (t) => {
  const attack = await underAttack(t);
  const { edge, region, tiers, relayed } = attack;
  await tiers.feed.publisher.revoke({ ...today, accessKeyId: BEN });
  const newer = await tiers.feed.document();
  region.feed = () => reply(newer);
  await beats(attack, 1);
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'scope-revoked');
  region.feed = () => reply(relayed);
  await beats(attack, 2);
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'scope-revoked');
  t.same(told(edge, 'feed-document-refused'), [], 'two sources are never in step: a beat behind is no attack');
  await beats(attack, 3);
  t.match(told(edge, 'feed-document-refused'), [{ code: 'version-backwards', security: true }]);
  t.equal(await edge.verdictOn({ accessKeyId: BEN }), 'scope-revoked');
});

t.test('a region that shows edges different states is found out by a second source', async (t) => {
  const attack = await underAttack(t);
  const { region, tiers, relayed } = attack;
  let published: FeedDocument = relayed;
  const other = await tiers.startSmallRegion('r8', 'us-east-1');
  other.feed = () => reply(published);

  const sources = { KEYD_FEED_REGIONS: other.url };
  const alone = await tiers.startEdge(region.url, { env, name: 'e-alone' });
  const doubled = await tiers.startEdge(region.url, { env: { ...env, ...sources }, name: 'e-doubled' });
  await untilVersion(alone, 1);
  await untilVersion(doubled, 1);

  await tiers.feed.publisher.revoke({ ...today, accessKeyId: BEN });
  published = await tiers.feed.document();
  const favoured = reply(published);
  region.feed = (_query, asker) => (asker.endsWith('/e1') ? favoured : reply(relayed));
  await tiers.clock.advance(2 * FEED_BEAT_MS);
  for (const edge of [attack.edge, doubled]) {
    await until(async () => (await edge.verdictOn({ accessKeyId: BEN })) === 'scope-revoked');
  }
  t.equal(await alone.verdictOn({ accessKeyId: BEN }), 'served', 'without a second source: until the hard horizon');
  await tiers.clock.advance(HARD_SECONDS * 1000);
  t.equal(await alone.verdictOn({ accessKeyId: BEN }), 'feed-stale');
  await until(() => told(doubled, 'feed-document-refused').length > 0);
  t.match(told(doubled, 'feed-document-refused'), [{ code: 'version-backwards', source: new URL(region.url).host }]);
});
