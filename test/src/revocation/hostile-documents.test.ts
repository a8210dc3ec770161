import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import {
  createFeedKey,
  DEFAULT_HORIZONS,
  FeedError,
  FeedState,
  MOST_STATEMENTS,
  nameSet,
  parseFeedDocument,
  pinFeedKeys,
  publicJwk,
  publicJwks,
  signBeacon,
  signStatement,
  verifyStatement,
  type Acceptance,
  type FeedDocument,
  type FeedKey,
  type FeedProblem,
  type RevocableScope,
  type Statement,
} from '@sigv4-keyd/revocation';
import t from 'tap';
import { day } from '../support/days.js';
import { createFeedKeys, HOUR_MS, liftOf, Publisher, revocation, RULE } from './publisher.js';

const NOW = Date.parse('2026-11-05T12:00:00Z');
const keys = await createFeedKeys();
const stranger = await createFeedKey('revocation');
const strangeBeacon = await createFeedKey('beacon');

const scopeOf = (accessKeyId: string): RevocableScope => ({
  accessKeyId,
  region: 'us-east-1',
  service: 's3',
  date: day('20261101'),
  createdAt: 0,
});

/** A compact JWS of our own making, for what no library would sign. */
function forge(header: object, payload: string | object, key: FeedKey = keys.revocation): string {
  const encode = (part: string) => Buffer.from(part).toString('base64url');
  const text = typeof payload === 'string' ? payload : canonical(payload);
  const input = `${encode(JSON.stringify(header))}.${encode(text)}`;
  return `${input}.${signBytes(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

function canonical(content: object): string {
  return JSON.stringify(content, Object.keys(content).toSorted());
}

const headerFor = (key: FeedKey, typ = 'keyd-revocation+jwt') => ({ alg: 'EdDSA', typ, kid: key.kid });

/** Another signature value under the header and content of a genuine document. */
function edited(jws: string, change: (content: Record<string, unknown>) => void): string {
  const [header = '', payload = '', signature = ''] = jws.split('.');
  const content = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  change(content);
  return `${header}.${Buffer.from(canonical(content)).toString('base64url')}.${signature}`;
}

async function codeOf(outcome: Promise<unknown>): Promise<FeedProblem | 'no error'> {
  try {
    await outcome;
    return 'no error';
  } catch (error) {
    if (error instanceof FeedError) return error.code;
    throw error;
  }
}

t.test('one statement: every forgery has its code', async (t) => {
  const statement = revocation();
  const genuine = await signStatement(statement, keys.revocation);
  const lift = liftOf(await new Publisher(keys).revoke());
  const hmacInput = genuine
    .split('.')
    .with(0, Buffer.from(JSON.stringify({ ...headerFor(keys.revocation), alg: 'HS256' })).toString('base64url'))
    .slice(0, 2)
    .join('.');
  const hs256 = createHmac('sha512', publicJwk(keys.revocation).x).update(hmacInput).digest('base64url');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const revocationHeader = headerFor(keys.revocation);
  const rows: readonly (readonly [string, string, FeedProblem | 'no error'])[] = [
    ['genuine', genuine, 'no error'],
    ['of our own making, genuine', forge(revocationHeader, statement), 'no error'],
    ['an unpinned key', await signStatement(statement, stranger), 'unknown-key'],
    ['an unpinned key that claims a pinned kid', forge(revocationHeader, statement, stranger), 'bad-signature'],
    [
      'another region written into it',
      edited(genuine, (content) => (content['region'] = 'eu-west-1')),
      'bad-signature',
    ],
    [
      'one bit of the signature',
      `${genuine.slice(0, -10)}${genuine.at(-10) === 'A' ? 'B' : 'A'}${genuine.slice(-9)}`,
      'bad-signature',
    ],
    [
      'the signature of another',
      `${genuine.slice(0, -86)}${(await signStatement(revocation(), keys.revocation)).slice(-86)}`,
      'bad-signature',
    ],
    [
      'alg none',
      `${Buffer.from('{"alg":"none","typ":"keyd-revocation+jwt"}').toString('base64url')}.${genuine.split('.')[1]}.`,
      'malformed',
    ],
    ['alg none with a signature', forge({ ...revocationHeader, alg: 'none' }, statement), 'unsupported-algorithm'],
    ['HS256 keyed with the public key', `${hmacInput}.${hs256}`, 'unsupported-algorithm'],
    ['RS256', forge({ ...revocationHeader, alg: 'RS256' }, statement), 'unsupported-algorithm'],
    ['alg Ed448', forge({ ...revocationHeader, alg: 'Ed448' }, statement), 'unsupported-algorithm'],
    [
      'alg as an object',
      forge({ ...revocationHeader, alg: { toString: 'EdDSA' } }, statement),
      'unsupported-algorithm',
    ],
    ['unknown crit', forge({ ...revocationHeader, crit: ['exp'], exp: 1 }, statement), 'unsupported-extension'],
    ['crit b64', forge({ ...revocationHeader, crit: ['b64'], b64: false }, statement), 'unsupported-extension'],
    ['empty crit', forge({ ...revocationHeader, crit: [] }, statement), 'unsupported-extension'],
    [
      'its own key in the header',
      forge({ ...revocationHeader, jwk: publicJwk(stranger) }, statement, stranger),
      'malformed',
    ],
    [
      'a key address in the header',
      forge({ ...revocationHeader, jku: 'https://evil.example/' }, statement),
      'malformed',
    ],
    ['no kid', forge({ alg: 'EdDSA', typ: 'keyd-revocation+jwt' }, statement), 'malformed'],
    ['kid of an object prototype', forge({ ...revocationHeader, kid: '__proto__' }, statement), 'unknown-key'],
    ['no typ', forge({ alg: 'EdDSA', kid: keys.revocation.kid }, statement), 'malformed'],
    ['another typ', forge(headerFor(keys.revocation, 'JWT'), statement), 'malformed'],
    ['the typ of a beacon', forge(headerFor(keys.revocation, 'keyd-beacon+jwt'), statement), 'malformed'],
    ['signed with the beacon key', forge(headerFor(keys.beacon), statement, keys.beacon), 'wrong-purpose'],
    ['signed with the root key', forge(headerFor(keys.root), statement, keys.root), 'wrong-purpose'],
    [
      'a lift signed with the revocation key',
      forge(headerFor(keys.revocation, 'keyd-lift+jwt'), lift),
      'wrong-purpose',
    ],
    [
      'a lift signed with the beacon key',
      forge(headerFor(keys.beacon, 'keyd-lift+jwt'), lift, keys.beacon),
      'wrong-purpose',
    ],
    ['a lift that claims to be a revocation', forge(revocationHeader, lift), 'malformed'],
    [
      'a revocation that claims to be a lift',
      forge(headerFor(keys.root, 'keyd-lift+jwt'), statement, keys.root),
      'malformed',
    ],
    ['a genuine lift', await signStatement(lift, keys.root), 'no error'],
    [
      'content in another order',
      forge(revocationHeader, JSON.stringify(Object.fromEntries(Object.entries(statement).toReversed()))),
      'malformed',
    ],
    ['content with blanks', forge(revocationHeader, canonical(statement).replace(',', ', ')), 'malformed'],
    [
      'a member twice',
      forge(revocationHeader, canonical(statement).replace('{', '{"at":"2000-01-01T00:00:00.000Z",')),
      'malformed',
    ],
    ['content that is no JSON', forge(revocationHeader, 'revoke everything'), 'malformed'],
    ['content that is no object', forge(revocationHeader, '[]'), 'malformed'],
    ['content with depth', forge(revocationHeader, { ...statement, region: { toString: 'us-east-1' } }), 'malformed'],
    ['a member too many', forge(revocationHeader, { ...statement, unless: 'I say so' }), 'malformed'],
    [
      '__proto__ as a member',
      forge(revocationHeader, canonical(statement).replace('{', '{"__proto__":"x",')),
      'malformed',
    ],
    ['no last day', forge(revocationHeader, { ...statement, to: undefined }), 'malformed'],
    ['days the wrong way round', forge(revocationHeader, { ...statement, from: '20261102' }), 'malformed'],
    ['a day that does not exist', forge(revocationHeader, { ...statement, to: '20261131' }), 'malformed'],
    ['a region that is none', forge(revocationHeader, { ...statement, region: 'us-east-1/s3' }), 'malformed'],
    ['an empty access key', forge(revocationHeader, { ...statement, accessKeyId: '' }), 'malformed'],
    ['issuedBefore as text', forge(revocationHeader, { ...statement, issuedBefore: '5' }), 'malformed'],
    ['issuedBefore with a fraction', forge(revocationHeader, { ...statement, issuedBefore: 5.5 }), 'malformed'],
    ['a reason of two lines', forge(revocationHeader, { ...statement, reason: 'a\nb' }), 'malformed'],
    ['a reason that says nothing', forge(revocationHeader, { ...statement, reason: '  ' }), 'malformed'],
    ['an author who is none', forge(revocationHeader, { ...statement, author: 'ann' }), 'malformed'],
    [
      'an instant with an offset',
      forge(revocationHeader, { ...statement, at: '2026-11-05T12:00:00.000+01:00' }),
      'malformed',
    ],
    [
      'an instant that does not exist',
      forge(revocationHeader, { ...statement, at: '2026-02-30T12:00:00.000Z' }),
      'malformed',
    ],
    ['an id that is no UUID', forge(revocationHeader, { ...statement, id: '1' }), 'malformed'],
    [
      'a lift of what is no digest',
      forge(headerFor(keys.root, 'keyd-lift+jwt'), { ...lift, lifts: lift.id }, keys.root),
      'malformed',
    ],
    ['too large, and validly signed', forge(revocationHeader, { ...statement, reason: 'x'.repeat(4000) }), 'too-large'],
    ['two parts', genuine.split('.').slice(0, 2).join('.'), 'malformed'],
    ['four parts', `${genuine}.AAAA`, 'malformed'],
    ['padding', `${genuine}=`, 'malformed'],
    [
      'an RSA signature',
      `${genuine.slice(0, -86)}${signBytes('sha256', Buffer.from('x'), rsa.privateKey).toString('base64url')}`,
      'malformed',
    ],
    [
      'a header that is no JSON',
      `${Buffer.from('{').toString('base64url')}.${genuine.split('.').slice(1).join('.')}`,
      'malformed',
    ],
    ['nothing', '', 'malformed'],
    ['not ASCII', 'ä.ö.ü', 'malformed'],
  ];
  for (const [name, jws, due] of rows) {
    t.equal(await codeOf(verifyStatement(jws, keys.pinned)), due, `${name}: ${due}`);
    if (due === 'no error') continue;
    // The same within a document: its neighbour is taken, it is not, and its place is told.
    const state = FeedState.empty(keys.pinned, RULE);
    const good = await signStatement(revocation({ accessKeyId: 'AKIAGOOD' }), keys.revocation);
    const taken = await state.accept({ beacon: 'x', statements: [good, jws] }, NOW);
    t.same(taken.refusedStatements, [{ index: 1, code: due }], `${name}: told`);
    t.equal(state.revocations.size, 1, `${name}: its neighbour is in force`);
    t.notOk(state.revocations.find(scopeOf('AKIAOTHER')), `${name}: and it is not`);
  }
});

t.test('nothing is signed that would not be verified', async (t) => {
  const lift = liftOf(await new Publisher(keys).revoke());
  const rows: readonly (readonly [string, Statement, FeedKey, FeedProblem])[] = [
    ['a revocation with the beacon key', revocation(), keys.beacon, 'wrong-purpose'],
    ['a revocation with the root key', revocation(), keys.root, 'wrong-purpose'],
    ['a lift with the revocation key', lift, keys.revocation, 'wrong-purpose'],
    ['days the wrong way round', revocation({ from: day('20261102') }), keys.revocation, 'malformed'],
    ['a reason too long', revocation({ reason: 'x'.repeat(501) }), keys.revocation, 'malformed'],
  ];
  for (const [name, statement, key, due] of rows) t.equal(await codeOf(signStatement(statement, key)), due, name);
  const instants = { at: '2026-11-05T12:00:00.000Z', expires: '2026-11-05T12:00:00.000Z' };
  t.equal(
    await codeOf(signBeacon({ version: 1, ...nameSet([]), banned: [], ...instants }, keys.beacon)),
    'malformed',
    'a stillborn beacon',
  );
  const largest = revocation({
    accessKeyId: 'A'.repeat(128),
    region: 'r'.repeat(63),
    service: 's'.repeat(63),
    issuedBefore: NOW,
    incident: 'I'.repeat(64),
    reason: '日'.repeat(500),
    author: `spiffe://${'d'.repeat(250)}/operator/${'n'.repeat(81)}`,
  });
  t.equal(largest.author.length, 350);
  t.equal(await codeOf(signStatement(largest, keys.revocation)), 'no error', 'the largest statement has room');
});

t.test('a beacon names who is banned, each identity once and in one order', async (t) => {
  const bannedOf = (...names: readonly string[]): readonly string[] =>
    names.map((name) => `spiffe://keyd.example/region/eu-west-1/${name}`);
  const thousand = Array.from(
    { length: 1_000 },
    (_, n) => `spiffe://keyd.example/region/r/${'n'.repeat(477)}${1000 + n}`,
  );
  t.equal(thousand[0]?.length, 512);
  const rows: readonly (readonly [string, readonly string[], FeedProblem | 'no error'])[] = [
    ['nobody', [], 'no error'],
    ['two', bannedOf('a', 'b'), 'no error'],
    ['as many and as long as there may be', thousand, 'no error'],
    ['one more', [...thousand, 'spiffe://x.example/region/r/n'], 'malformed'],
    ['out of order', bannedOf('b', 'a'), 'malformed'],
    ['one twice', bannedOf('a', 'a'), 'malformed'],
    ['what is no identity', ['region/eu-west-1/a'], 'malformed'],
    ['one too long', [`spiffe://keyd.example/region/r/${'n'.repeat(482)}`], 'malformed'],
  ];
  const content = { version: 1, ...nameSet([]), at: new Date(NOW).toISOString() };
  const expires = new Date(NOW + HOUR_MS).toISOString();
  for (const [name, banned, due] of rows) {
    const whole = { ...content, banned, expires };
    t.equal(await codeOf(signBeacon(whole, keys.beacon)), due, `signing: ${name}`);
    const state = FeedState.empty(keys.pinned, RULE);
    const jws = forge(headerFor(keys.beacon, 'keyd-beacon+jwt'), whole, keys.beacon);
    const { beacon } = await state.accept({ beacon: jws, statements: [] }, NOW);
    t.match(
      beacon,
      due === 'no error' ? { outcome: 'advanced' } : { outcome: 'refused', code: due },
      `verifying: ${name}`,
    );
    t.same(state.beacon?.banned, due === 'no error' ? banned : undefined);
  }
});

interface Fixture {
  readonly state: FeedState;
  readonly publisher: Publisher;
  /** Version 1 names AKIAONE, version 2 (held) names AKIAONE and AKIATWO. */
  readonly old: FeedDocument & { readonly statements: readonly string[] };
  readonly held: FeedDocument & { readonly statements: readonly string[] };
}

async function fixture(): Promise<Fixture> {
  const publisher = new Publisher(keys);
  const state = FeedState.empty(keys.pinned, RULE);
  await publisher.revoke({ accessKeyId: 'AKIAONE' });
  const old = await publisher.document(NOW - 10_000);
  await publisher.revoke({ accessKeyId: 'AKIATWO' });
  const held = await publisher.document(NOW - 5_000);
  const { beacon } = await state.accept(held, NOW);
  if (beacon.outcome !== 'advanced') throw new Error('the fixture has no state');
  return { state, publisher, old, held };
}

const wordOf = ({ beacon }: Acceptance): string => (beacon.outcome === 'refused' ? beacon.code : beacon.outcome);

t.test('a hostile region: each beacon has its answer, and the state is kept', async (t) => {
  type Hostile = (made: Fixture) => Promise<FeedDocument> | FeedDocument;
  const rows: readonly (readonly [string, Hostile, string])[] = [
    ['the held document again', ({ held }) => held, 'unchanged'],
    ['the held beacon alone', ({ held }) => ({ beacon: held.beacon }), 'unchanged'],
    ['a replay of the old document', ({ old }) => old, 'version-backwards'],
    ['the old beacon over the new set', ({ old, held }) => ({ ...held, beacon: old.beacon }), 'version-backwards'],
    [
      'the new beacon over the old set',
      async ({ publisher, old, held }) => ({
        statements: old.statements,
        beacon: await publisher.beacon(NOW, held.statements),
      }),
      'incomplete-set',
    ],
    ['the held beacon over the old set', ({ old, held }) => ({ ...old, beacon: held.beacon }), 'incomplete-set'],
    ['the held beacon over nothing', ({ held }) => ({ beacon: held.beacon, statements: [] }), 'incomplete-set'],
    [
      'a statement withheld',
      async ({ publisher, held }) => ({
        beacon: await publisher.beacon(NOW, held.statements),
        statements: held.statements.slice(1),
      }),
      'incomplete-set',
    ],
    [
      '"unchanged" over a set that changed',
      async ({ publisher, held, old }) => ({ beacon: await publisher.beacon(NOW, [...held.statements, old.beacon]) }),
      'incomplete-set',
    ],
    [
      'the right hash and a wrong count',
      async ({ publisher, held }) => ({ ...held, beacon: await publisher.beacon(NOW, held.statements, { count: 3 }) }),
      'incomplete-set',
    ],
    [
      'the same statements, doubled and turned round',
      async ({ publisher, held }) => ({
        beacon: await publisher.beacon(NOW, held.statements),
        statements: [...held.statements, ...held.statements].toReversed(),
      }),
      'advanced',
    ],
    [
      'another beacon of the same version',
      async ({ publisher, held }) => ({
        ...held,
        beacon: await publisher.beacon(NOW, held.statements, { version: 2 }),
      }),
      'equivocation',
    ],
    [
      'a newer version of an earlier time',
      async ({ publisher, held }) => ({ ...held, beacon: await publisher.beacon(NOW - 5_001, held.statements) }),
      'time-backwards',
    ],
    [
      'a newer version of the same time',
      async ({ publisher, held }) => ({ ...held, beacon: await publisher.beacon(NOW - 5_000, held.statements) }),
      'advanced',
    ],
    [
      'expired to the millisecond',
      async ({ publisher, held }) => ({
        ...held,
        beacon: await publisher.beacon(NOW - 1, held.statements, { expires: new Date(NOW).toISOString() }),
      }),
      'expired',
    ],
    [
      'expiring in a millisecond',
      async ({ publisher, held }) => ({
        ...held,
        beacon: await publisher.beacon(NOW - 1, held.statements, { expires: new Date(NOW + 1).toISOString() }),
      }),
      'advanced',
    ],
    [
      'from the future by more than the skew',
      async ({ publisher, held }) => ({ ...held, beacon: await publisher.beacon(NOW + 900_001, held.statements) }),
      'from-the-future',
    ],
    [
      'from the future by the skew',
      async ({ publisher, held }) => ({ ...held, beacon: await publisher.beacon(NOW + 900_000, held.statements) }),
      'advanced',
    ],
    [
      'an edited beacon',
      ({ held }) => ({ ...held, beacon: edited(held.beacon, (content) => (content['version'] = 9)) }),
      'bad-signature',
    ],
    [
      'a beacon of an unpinned key',
      async ({ held }) => ({
        ...held,
        beacon: await signBeacon(
          {
            version: 9,
            ...nameSet(held.statements),
            banned: [],
            at: new Date(NOW).toISOString(),
            expires: new Date(NOW + HOUR_MS).toISOString(),
          },
          strangeBeacon,
        ),
      }),
      'unknown-key',
    ],
    [
      'a beacon signed with the revocation key',
      ({ held }) => ({ ...held, beacon: forge(headerFor(keys.revocation, 'keyd-beacon+jwt'), payloadOf(held.beacon)) }),
      'wrong-purpose',
    ],
    ['a statement as the beacon', ({ held }) => ({ ...held, beacon: held.statements[0]! }), 'malformed'],
    [
      'a beacon of version 0',
      ({ held }) => ({
        ...held,
        beacon: forge(
          headerFor(keys.beacon, 'keyd-beacon+jwt'),
          payloadOf(held.beacon).replace('"version":2', '"version":0'),
          keys.beacon,
        ),
      }),
      'malformed',
    ],
    [
      'a beacon beyond all counting',
      ({ held }) => ({
        ...held,
        beacon: forge(
          headerFor(keys.beacon, 'keyd-beacon+jwt'),
          payloadOf(held.beacon).replace('"version":2', '"version":9007199254740993'),
          keys.beacon,
        ),
      }),
      'malformed',
    ],
    ['a huge beacon', ({ held }) => ({ ...held, beacon: 'x'.repeat(1_000_000) }), 'too-large'],
    ['no beacon', ({ held }) => ({ ...held, beacon: '' }), 'malformed'],
  ];
  for (const [name, make, due] of rows) {
    const made = await fixture();
    const before = made.state.serialise();
    const document = await make(made);
    const taken = await made.state.accept(document, NOW);
    t.equal(wordOf(taken), due, `${name}: ${due}`);
    t.same(taken.newStatements, [], `${name}: nothing new`);
    t.ok(made.state.revocations.find(scopeOf('AKIAONE')), `${name}: still denied`);
    t.ok(made.state.revocations.find(scopeOf('AKIATWO')), `${name}: and the other too`);
    if (due === 'advanced') t.not(made.state.serialise(), before, `${name}: held from now on`);
    else t.equal(made.state.serialise(), before, `${name}: the state is the very same`);
  }
});

t.test('a valid statement beside a refused beacon denies at once, a lift does not allow', async (t) => {
  const { state, publisher, old, held } = await fixture();
  const more = await publisher.revoke({ accessKeyId: 'AKIAMORE' });
  const one = await verifyStatement(held.statements[0]!, keys.pinned);
  if (one.statement.kind !== 'revocation') throw new Error('the fixture has no revocation');
  const lift = await publisher.lift({ ...one, statement: one.statement });

  const early = await state.accept({ beacon: old.beacon, statements: [lift.jws, more.jws, more.jws] }, NOW);
  t.equal(wordOf(early), 'version-backwards');
  t.same(
    early.newStatements.map(({ digest }) => digest),
    [more.digest],
    'the revocation is taken, and told once',
  );
  t.ok(state.revocations.find(scopeOf('AKIAMORE')), 'and in force');
  t.ok(state.revocations.find(scopeOf('AKIAONE')), 'the lift is not');
  t.equal(state.beacon?.version, 2, 'the beacon is the one held before');
  const again = await state.accept({ beacon: old.beacon, statements: [lift.jws, more.jws] }, NOW);
  t.same(again.newStatements, [], 'nothing is new twice');

  const restored = await FeedState.restore(state.serialise(), keys.pinned, RULE);
  t.equal(restored.beacon, 'held');
  t.ok(restored.state.revocations.find(scopeOf('AKIAMORE')), 'what no beacon named survives a restart');

  const whole = await state.accept(await publisher.document(NOW), NOW);
  t.equal(wordOf(whole), 'advanced');
  t.same(
    whole.newStatements.map(({ digest }) => digest),
    [lift.digest],
    'the lift counts with the whole set',
  );
  t.notOk(state.revocations.find(scopeOf('AKIAONE')), 'lifted');
  t.ok(state.revocations.find(scopeOf('AKIATWO')), 'the rest is not');
  t.equal(wordOf(await state.accept(held, NOW)), 'version-backwards');
  t.notOk(state.revocations.find(scopeOf('AKIAONE')), 'and stays lifted when the old set is replayed');
});

t.test('a publisher that names an empty set un-revokes nothing', async (t) => {
  const { state, publisher, held } = await fixture();
  const empty = { beacon: await publisher.beacon(NOW, []), statements: [] };
  t.equal(wordOf(await state.accept(empty, NOW)), 'advanced', 'the beacon is genuine');
  t.same(state.document, empty, 'and what is passed on is what it names');
  t.equal(state.revocations.size, 2, 'what was known stays in force');
  const { state: restored } = await FeedState.restore(state.serialise(), keys.pinned, RULE);
  t.equal(restored.revocations.size, 2, 'also after a restart');
  const later = Date.parse('2026-11-20T00:00:00Z');
  await restored.accept({ beacon: await publisher.beacon(later, []) }, later);
  t.equal(restored.revocations.size, 0, 'until no signature can need it');
  const replayed = await restored.accept(held, later);
  t.same([wordOf(replayed), replayed.newStatements], ['version-backwards', []], 'a replay brings nothing back');
  t.equal(restored.revocations.size, 0, 'and fills no memory');
});

t.test('a clock that runs ahead forgets nothing', async (t) => {
  const { state, held } = await fixture();
  const farAhead = Date.parse('2036-01-01T00:00:00Z');
  t.equal(wordOf(await state.accept(held, farAhead)), 'expired');
  t.equal(state.revocations.size, 2, 'the time of beacons decides, not that of this machine');
  t.equal(state.freshness(farAhead, DEFAULT_HORIZONS), 'hard');
  t.equal(state.freshness(NOW, DEFAULT_HORIZONS), 'fresh', 'and when the clock is right again, so is the state');
});

t.test('documents of several sources at once: the slower one is judged by what the faster one brought', async (t) => {
  const publisher = new Publisher(keys);
  const state = FeedState.empty(keys.pinned, RULE);
  await publisher.revoke({ accessKeyId: 'AKIAONE' });
  const older = await publisher.document(NOW - 1);
  await publisher.revoke({ accessKeyId: 'AKIATWO' });
  const newer = await publisher.document(NOW);
  const forged = Array.from({ length: 200 }, () => forge(headerFor(keys.revocation), revocation(), stranger));
  const slow = { ...older, statements: [...older.statements, ...forged] };
  const [late, early] = await Promise.all([state.accept(slow, NOW), state.accept(newer, NOW)]);
  t.same([wordOf(early), wordOf(late)], ['advanced', 'version-backwards']);
  t.equal(state.beacon?.version, 2, 'the version did not go backwards');
  t.same([late.newStatements.length, late.refusedStatements.length], [0, 200]);

  const apart = await Promise.all(
    ['AKIASIX', 'AKIATEN'].map((accessKeyId) => publisher.sign(revocation({ accessKeyId }))),
  );
  await Promise.all(apart.map(({ jws }) => state.accept({ beacon: older.beacon, statements: [jws] }, NOW)));
  t.equal(state.revocations.size, 4, 'neither lost what the other brought');
});

t.test('two edges are shown different states: the one that catches up is told', async (t) => {
  const publisher = new Publisher(keys);
  const left = await publisher.beacon(NOW, []);
  const right = await publisher.beacon(NOW, [], { version: 1, at: new Date(NOW + 1).toISOString() });
  const state = FeedState.empty(keys.pinned, RULE);
  t.equal(wordOf(await state.accept({ beacon: left }, NOW)), 'advanced', 'an empty set need not be sent');
  t.equal(wordOf(await state.accept({ beacon: right }, NOW)), 'equivocation');
});

t.test('keys are rotated: old and new overlap, and then the old one is gone', async (t) => {
  const next = await createFeedKeys();
  const both = await pinFeedKeys(
    publicJwks([keys.revocation, keys.beacon, keys.root, next.revocation, next.beacon, next.root]),
  );
  const before = new Publisher(keys);
  const state = FeedState.empty(both, RULE);
  const { statement } = await before.revoke({ accessKeyId: 'AKIAONE' });
  await state.accept(await before.document(NOW), NOW);
  t.equal(await codeOf(FeedState.restore(state.serialise(), next.pinned, RULE)), 'unknown-key', 'too early to retire');

  const resigned = await signStatement(statement, next.revocation);
  const at = new Date(NOW).toISOString();
  const expires = new Date(NOW + HOUR_MS).toISOString();
  const beacon = await signBeacon({ version: 2, ...nameSet([resigned]), banned: [], at, expires }, next.beacon);
  t.equal(wordOf(await state.accept({ beacon }, NOW)), 'incomplete-set', 'the new bytes have to be fetched');
  const taken = await state.accept({ beacon, statements: [resigned] }, NOW);
  t.equal(wordOf(taken), 'advanced');
  t.same(taken.newStatements, [], 'the statement is the same one');
  t.equal(state.revocations.size, 1);
  const { state: restored } = await FeedState.restore(state.serialise(), next.pinned, RULE);
  t.ok(restored.revocations.find(scopeOf('AKIAONE')), 'the old keys can go');
});

t.test('a stolen beacon key has counted to the end: retiring it is the way back', async (t) => {
  const { state, publisher, held } = await fixture();
  const last = await publisher.beacon(NOW, held.statements, { version: Number.MAX_SAFE_INTEGER });
  t.equal(wordOf(await state.accept({ beacon: last }, NOW)), 'advanced');
  t.equal(wordOf(await state.accept(await publisher.document(NOW), NOW)), 'version-backwards', 'stuck');

  const successor = await createFeedKey('beacon');
  const pinned = await pinFeedKeys(publicJwks([keys.revocation, keys.root, successor]));
  const restored = await FeedState.restore(state.serialise(), pinned, RULE);
  t.equal(restored.beacon, 'retired-key');
  t.equal(restored.state.revocations.size, 2, 'every statement stays in force');
  t.equal(restored.state.freshness(NOW, DEFAULT_HORIZONS), 'hard', 'and nothing is served on the word of that key');
  const at = new Date(NOW).toISOString();
  const expires = new Date(NOW + HOUR_MS).toISOString();
  const beacon = await signBeacon({ version: 1, ...nameSet(held.statements), banned: [], at, expires }, successor);
  t.equal(wordOf(await restored.state.accept({ beacon, statements: held.statements }, NOW)), 'advanced');
  t.equal(restored.state.freshness(NOW, DEFAULT_HORIZONS), 'fresh');
});

t.test('a feed document that is none', async (t) => {
  const tooMany = Array.from({ length: MOST_STATEMENTS + 1 }, () => '');
  const rows: readonly (readonly [string, unknown, FeedProblem | 'no error'])[] = [
    ['a document', { beacon: '', statements: [''] }, 'no error'],
    ['without statements', { beacon: '' }, 'no error'],
    ['as many as may be', { beacon: '', statements: tooMany.slice(1) }, 'no error'],
    ['one too many', { beacon: '', statements: tooMany }, 'too-many-statements'],
    ['a million', { beacon: '', statements: Array.from({ length: 1_000_000 }, () => 0) }, 'too-many-statements'],
    ['no beacon', { statements: [] }, 'malformed'],
    ['a member too many', { beacon: '', statements: [], more: 1 }, 'malformed'],
    ['statements that are no text', { beacon: '', statements: [1] }, 'malformed'],
    ['statements that are null', { beacon: '', statements: null }, 'malformed'],
    ['null', null, 'malformed'],
    ['a list', [], 'malformed'],
    ['text', 'beacon', 'malformed'],
  ];
  for (const [name, json, due] of rows) {
    t.equal(await codeOf(Promise.resolve().then(() => parseFeedDocument(json))), due, name);
  }
});

function payloadOf(jws: string): string {
  return Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString();
}
