import { addDays, DAY_MS, scopeDateOf, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import {
  describeScope,
  freshnessOf,
  hits,
  keptUntil,
  mayBeForgotten,
  nameSet,
  RevocationSet,
  type RevocableScope,
  type RevocationStatement,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import fc from 'fast-check';
import t from 'tap';
import { day } from '../support/days.js';
import { createFeedKeys, liftOf, Publisher, revocation, RULE } from './publisher.js';

const publisher = new Publisher(await createFeedKeys());
const SCOPE: RevocableScope = {
  accessKeyId: 'AKIAANN',
  region: 'us-east-1',
  service: 's3',
  date: day('20261103'),
  createdAt: 1_000,
};
const RANGE = { from: day('20261102'), to: day('20261104') };

const EMPTY_SET = '803b72e12d6db8976faebd7d1c0f6536bbd9230bd7b3af9dcb0515540534a0cb';
const SET_OF_A_AND_B = 'cfefc354efaaa4d2660a56f2027a0acdd653212a4732b8ba336dbf29ae9929b8';

/** Every subset of the three parts, each either as in SCOPE or another. */
const PARTS = ['accessKeyId', 'region', 'service'] as const;
const OTHER = { accessKeyId: 'AKIABEN', region: 'eu-west-1', service: 'dynamodb' } as const;

async function setOf(statement: RevocationStatement): Promise<RevocationSet> {
  return RevocationSet.of([await publisher.sign(statement)]);
}

t.test('every combination of absent, equal and other parts', async (t) => {
  const choices = ['absent', 'equal', 'other'] as const;
  for (const accessKeyId of choices) {
    for (const region of choices) {
      for (const service of choices) {
        const chosen = { accessKeyId, region, service };
        const given = PARTS.filter((part) => chosen[part] !== 'absent').map(
          (part) => [part, chosen[part] === 'equal' ? SCOPE[part] : OTHER[part]] as const,
        );
        const statement = revocation({ ...RANGE, ...Object.fromEntries(given) });
        const due = !Object.values(chosen).includes('other');
        const words = `access key ${accessKeyId}, region ${region}, service ${service}`;
        t.equal(hits(statement, SCOPE), due, `${words}: ${due ? 'hit' : 'not hit'}`);
        t.equal((await setOf(statement)).find(SCOPE) !== undefined, due, `${words}: found by the index alike`);
      }
    }
  }
});

t.test('edges of the range and of issuedBefore', async (t) => {
  const rows: readonly (readonly [string, Partial<RevocationStatement>, Partial<RevocableScope>, boolean])[] = [
    ['the day before the first', RANGE, { date: day('20261101') }, false],
    ['the first day', RANGE, { date: RANGE.from }, true],
    ['the last day', RANGE, { date: RANGE.to }, true],
    ['the day after the last', RANGE, { date: day('20261105') }, false],
    ['one day only', { from: SCOPE.date, to: SCOPE.date }, {}, true],
    ['across the year, before', { from: day('20251231'), to: day('20260101') }, { date: day('20251230') }, false],
    ['across the year, first', { from: day('20251231'), to: day('20260101') }, { date: day('20251231') }, true],
    ['across the year, last', { from: day('20251231'), to: day('20260101') }, { date: day('20260101') }, true],
    ['across the year, after', { from: day('20251231'), to: day('20260101') }, { date: day('20260102') }, false],
    ['to the end of time', { from: RANGE.from, to: day('99991231') }, { date: day('99991231') }, true],
    ['created just before', { ...RANGE, issuedBefore: 5_000 }, { createdAt: 4_999 }, true],
    ['created at the instant', { ...RANGE, issuedBefore: 5_000 }, { createdAt: 5_000 }, false],
    ['created after', { ...RANGE, issuedBefore: 5_000 }, { createdAt: 5_001 }, false],
    ['created when, nobody knows', { ...RANGE, issuedBefore: 5_000 }, { createdAt: undefined }, true],
    ['created at no number', { ...RANGE, issuedBefore: 5_000 }, { createdAt: Number.NaN }, true],
    ['issued before the epoch spares all', { ...RANGE, issuedBefore: 0 }, { createdAt: 0 }, false],
    ['without issuedBefore nothing is spared', RANGE, { createdAt: Number.MAX_SAFE_INTEGER }, true],
  ];
  for (const [name, changes, asked, due] of rows) {
    const statement = revocation(changes);
    const scope = { ...SCOPE, ...asked };
    t.equal(hits(statement, scope), due, name);
    t.equal((await setOf(statement)).find(scope) !== undefined, due, `${name}: found by the index alike`);
  }
});

t.test('the index finds what a plain reading of all statements finds', (t) => {
  const maybe = (values: readonly string[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const date = fc.integer({ min: 0, max: 5 }).map((n) => addDays(RANGE.from, n));
  const arbitraryStatement = fc
    .record({
      accessKeyId: maybe(['AKIAANN', 'AKIABEN']),
      region: maybe(['us-east-1', 'eu-west-1']),
      service: maybe(['s3', 'dynamodb']),
      days: fc.tuple(date, date).map((days) => days.toSorted()),
      issuedBefore: fc.option(fc.constantFrom(0, 5, 10), { nil: undefined }),
    })
    .map(({ days: [from, to], ...parts }) => {
      const given = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
      return revocation({ from: from!, to: to!, ...given });
    });
  const arbitraryScope = fc.record({
    accessKeyId: fc.constantFrom('AKIAANN', 'AKIABEN', 'AKIACYD'),
    region: fc.constantFrom('us-east-1', 'eu-west-1', 'ap-south-1'),
    service: fc.constantFrom('s3', 'dynamodb', 'sqs'),
    date,
    createdAt: fc.constantFrom(0, 4, 5, 10, undefined),
  });
  const property = fc.property(
    fc.array(arbitraryStatement, { maxLength: 12 }),
    fc.array(arbitraryScope, { minLength: 10, maxLength: 20 }),
    (statements, scopes) => {
      const signed = statements.map((statement) => unsignedForm(statement));
      const set = RevocationSet.of(signed);
      const again = RevocationSet.of([...signed.toReversed(), ...signed]);
      for (const scope of scopes) {
        const due = statements.some((statement) => hits(statement, scope));
        const found = set.find(scope);
        if ((found !== undefined) !== due) throw new Error(`found is ${String(found?.id)}, due is ${due}`);
        if (found !== undefined && !hits(found, scope)) throw new Error('what was found does not hit');
        if ((again.find(scope) !== undefined) !== due) throw new Error('order or duplicates matter');
      }
      return set.size === statements.length && again.size === statements.length;
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }));
  t.end();
});

t.test('a lift takes back the one statement that it names, in whatever order they come', async (t) => {
  const lifted = await publisher.revoke({ ...RANGE });
  const twin = await publisher.sign({ ...lifted.statement, reason: 'of the same id, and another statement' });
  const lift = await publisher.sign(liftOf(lifted));
  for (const [name, members, due] of [
    ['revocation, lift', [lifted, lift], false],
    ['lift, revocation', [lift, lifted], false],
    ['lift of what is not known', [lift], false],
    ['another statement of the same id stays', [lifted, lift, twin], true],
    ['the lift forgotten first: in force again', [lifted], true],
  ] as const) {
    t.equal(RevocationSet.of(members).find(SCOPE) !== undefined, due, name);
  }
  t.ok(RevocationSet.of([lift]).isLifted(lifted.digest), 'a lift of what is not known is kept');
});

t.test('forgetting: the boundary, and why it never un-revokes', (t) => {
  const statement = revocation({ from: day('20261101'), to: day('20261105') });
  const skewMs = RULE.clockSkewSeconds * 1000;
  const kept = startOfScopeDate(day('20261105')) + DAY_MS + 604_800_000 + skewMs;
  t.equal(keptUntil(statement, RULE), kept, 'end of the last day, presigned life, skew');
  t.equal(keptUntil(liftOf({ ...unsignedForm(statement), statement }), RULE), kept, 'a lift is kept as long');
  t.equal(mayBeForgotten(statement, RULE, kept + skewMs - 1), false, 'a millisecond early');
  t.equal(mayBeForgotten(statement, RULE, kept + skewMs), true, 'on time');
  t.equal(mayBeForgotten(statement, RULE, Number.NaN), false, 'no time, no forgetting');
  t.equal(keptUntil({ to: day('99991231') }, RULE) > Date.UTC(9999, 11, 31), true, 'the last of all days has an end');

  // Whoever holds a beacon of `signedTime` and believes it reads a clock of at least that less the skew.
  const slowest = mayBeForgotten(statement, RULE, kept + skewMs) ? kept + skewMs - skewMs : Number.NaN;
  const latestSignature = startOfScopeDate(statement.to) + DAY_MS - 1000;
  t.ok(slowest >= latestSignature + 604_800_000, 'every presigned URL of the range has expired by then');
  t.ok(slowest > latestSignature + skewMs, 'and every header signature is too old');
  t.ok(scopeDateOf(slowest - 604_800_000 - skewMs) > statement.to, 'and the window of days has left the range');
  t.end();
});

t.test('freshness: horizons, expiry, and clocks that cannot be right', (t) => {
  const at = Date.parse('2026-11-05T12:00:00Z');
  const horizons = { softSeconds: 60, hardSeconds: 3600 };
  const judged = (age: number, expires = at + 86_400_000) => freshnessOf({ at, expires }, at + age, horizons, 900);
  const rows = [
    ['just signed', judged(0), 'fresh'],
    ['at the soft horizon', judged(60_000), 'fresh'],
    ['past the soft horizon', judged(60_001), 'soft'],
    ['at the hard horizon', judged(3_600_000), 'soft'],
    ['past the hard horizon', judged(3_600_001), 'hard'],
    ['just before it expires', judged(100, at + 101), 'fresh'],
    ['expired, before any horizon', judged(100, at + 100), 'hard'],
    ['our clock behind by the skew', judged(-900_000), 'fresh'],
    ['our clock behind by more', judged(-900_001), 'hard'],
    ['no clock', judged(Number.NaN), 'hard'],
    ['no beacon', freshnessOf(undefined, at, horizons, 900), 'hard'],
    [
      'horizons that are no numbers',
      freshnessOf({ at, expires: at + 10 }, at, { softSeconds: Number.NaN, hardSeconds: Number.NaN }, 900),
      'hard',
    ],
  ] as const;
  for (const [name, is, due] of rows) t.equal(is, due, name);
  t.end();
});

t.test('the name of a set', (t) => {
  const name = nameSet(['a', 'b', 'c']);
  t.same(nameSet(['c', 'a', 'b', 'a']), name, 'order and duplicates do not matter');
  t.equal(name.count, 3);
  t.match(name.setHash, /^[0-9a-f]{64}$/);
  const others = [nameSet([]), nameSet(['a']), nameSet(['a', 'b']), nameSet(['a', 'bc']), nameSet(['a', 'b', 'd'])];
  t.equal(new Set([name, ...others].map(({ setHash }) => setHash)).size, 6, 'other sets have other names');
  // Computed with sha256sum from the definition; a change of it would cut every running edge off.
  t.equal(nameSet([]).setHash, EMPTY_SET);
  t.equal(nameSet(['a', 'b']).setHash, SET_OF_A_AND_B);
  t.end();
});

t.test('a scope in words', (t) => {
  t.equal(
    describeScope(revocation()),
    'every access key, in every region, for every service, signed on 2026-11-01 (UTC)',
  );
  t.equal(
    describeScope(revocation({ ...RANGE, accessKeyId: 'AKIAANN', region: 'us-east-1', service: 's3' })),
    'access key AKIAANN, in region us-east-1, for service s3, signed from 2026-11-02 to 2026-11-04 inclusive (UTC)',
  );
  t.end();
});

/** For the index, which looks at no signature: the id stands for the digest. */
function unsignedForm(statement: RevocationStatement): SignedStatement<RevocationStatement> {
  return { statement, digest: statement.id as SignedStatement['digest'], jws: statement.id };
}
