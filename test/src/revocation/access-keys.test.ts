import { createPrivateKey, sign } from 'node:crypto';
import { addDays, DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import {
  ACCESS_KEY_STATUSES,
  ChangedAccessKeys,
  exportFeedKey,
  FeedState,
  intoPages,
  isPage,
  keptUntil,
  MOST_CHANGES_A_PAGE,
  MOST_PAGE_BYTES,
  readChange,
  signAccessKeyPage,
  supersedes,
  verifyFact,
  verifyStatement,
  writeChange,
  type AccessKeyChange,
  type FeedDocument,
  type FeedKey,
  type Horizons,
  type SignedPage,
} from '@sigv4-keyd/revocation';
import fc from 'fast-check';
import t from 'tap';
import { day } from '../support/days.js';
import { createFeedKeys, HOUR_MS, lastDayOfChange, Publisher, RULE, type FeedKeys } from './publisher.js';

const NOW = Date.parse('2026-11-22T08:30:00Z');
const AT = '2026-11-22T08:30:00.000Z';
const TO = day('20261123');

const idLetters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_');
const accessKeyId = fc.string({ unit: fc.constantFrom(...idLetters), minLength: 3, maxLength: 128 });
const names = fc
  .uniqueArray(fc.constantFrom('us-east-1', 'eu-west-1', 's3', 'execute-api', 'a', 'x'.repeat(63)), { minLength: 1 })
  .map((list) => list.toSorted());
const change: fc.Arbitrary<AccessKeyChange> = fc.record(
  {
    accessKeyId,
    change: fc.integer({ min: 1, max: 2 ** 40 }),
    status: fc.constantFrom(...ACCESS_KEY_STATUSES),
    secretVersion: fc.integer({ min: 1, max: 2 ** 31 }),
    expiresAt: fc.integer({ min: 1, max: Date.UTC(9999, 0) }),
    regions: names,
    services: names,
  },
  { requiredKeys: ['accessKeyId', 'change', 'status', 'secretVersion'], noNullPrototype: true },
);

const ANN: AccessKeyChange = { accessKeyId: 'AKIAANN', change: 7, status: 'disabled', secretVersion: 1 };

t.test('a change as text', (t) => {
  fc.assert(fc.property(change, (one) => JSON.stringify(readChange(writeChange(one))) === JSON.stringify(one)));
  t.equal(
    writeChange({ ...ANN, expiresAt: 5, regions: ['eu-west-1', 'us-east-1'], services: ['s3'] }),
    'AKIAANN 7 disabled 1 expires=5 regions=eu-west-1,us-east-1 services=s3',
  );
  const malformed = [
    '',
    'AKIAANN',
    'AKIAANN 7 disabled',
    'AKIAANN 7 disabled 1 ',
    ' AKIAANN 7 disabled 1',
    'AKIAANN  7 disabled 1',
    'AKIAANN 7 disabled 1\n',
    'AKIAANN 7 gone 1',
    'AKIAANN 7 DISABLED 1',
    'AKIAANN 0 disabled 1',
    'AKIAANN 07 disabled 1',
    'AKIAANN +7 disabled 1',
    'AKIAANN 7.0 disabled 1',
    'AKIAANN 1e3 disabled 1',
    'AKIAANN 9007199254740992 disabled 1',
    'AKIAANN 9007199254740993 disabled 1',
    'AKIAANN 7 disabled 0',
    'AK 7 disabled 1',
    'AKIA-ANN 7 disabled 1',
    'AKIAANN 7 disabled 1 expires=',
    'AKIAANN 7 disabled 1 expires=0',
    'AKIAANN 7 disabled 1 expires=-1',
    'AKIAANN 7 disabled 1 regions=',
    'AKIAANN 7 disabled 1 regions=us-east-1,eu-west-1',
    'AKIAANN 7 disabled 1 regions=eu-west-1,eu-west-1',
    'AKIAANN 7 disabled 1 regions=EU',
    'AKIAANN 7 disabled 1 services=s3 regions=eu-west-1',
    'AKIAANN 7 disabled 1 services=s3 services=s3',
    'AKIAANN 7 disabled 1 until=5',
  ];
  for (const text of malformed) t.equal(readChange(text), undefined, JSON.stringify(text));
  t.end();
});

t.test('which of two changes counts', (t) => {
  const later = { ...ANN, change: 8, status: 'enabled' } as const;
  t.ok(supersedes(later, ANN) && !supersedes(ANN, later), 'the later one, whatever it says');
  t.notOk(supersedes(ANN, ANN));
  const enabled = { ...ANN, status: 'enabled' } as const;
  t.ok(supersedes(ANN, enabled) && !supersedes(enabled, ANN), 'of one number, the one that denies');
  t.ok(supersedes({ ...ANN, status: 'deleted' }, ANN));
  t.ok(supersedes({ ...enabled, secretVersion: 2 }, { ...enabled, expiresAt: 1 }));
  const sameKey = change.map((one) => ({ ...one, accessKeyId: 'AKIAANN' }));
  const property = fc.property(sameKey, sameKey, (left, right) => {
    const differ = writeChange(left) !== writeChange(right);
    return supersedes(left, right) === (differ && !supersedes(right, left));
  });
  fc.assert(property);
  t.end();
});

t.test('a page is signed by the key of statements, and is nothing else', async (t) => {
  const keys = await createFeedKeys();
  const page = { to: TO, changes: [ANN], at: AT };
  const jws = await signAccessKeyPage(page, keys.revocation);
  const signed = await verifyFact(jws, keys.pinned);
  t.match(signed, { page, jws });
  await t.rejects(verifyStatement(jws, keys.pinned), { code: 'malformed' }, 'it passes for no statement');
  for (const purpose of ['beacon', 'root'] as const) {
    await t.rejects(signAccessKeyPage(page, keys[purpose]), { code: 'wrong-purpose' }, purpose);
  }
  const other = await createFeedKeys();
  await t.rejects(verifyFact(await signAccessKeyPage(page, other.revocation), keys.pinned), { code: 'unknown-key' });

  const ben = { ...ANN, accessKeyId: 'AKIABEN' };
  const refused: [name: string, content: object][] = [
    ['unsorted', { changes: [ben, ANN].map(writeChange) }],
    ['twice', { changes: [ANN, { ...ANN, change: 8 }].map(writeChange) }],
    ['none', { changes: [] }],
    ['a change that is none', { changes: ['AKIAANN 7 lifted 1'] }],
    ['another kind', { kind: 'lift' }],
    ['a part too many', { lifts: 'x' }],
    ['no last day', { to: '2026-11-23' }],
    ['too many', { changes: Array.from({ length: MOST_CHANGES_A_PAGE + 1 }, (_, index) => changeOf(index)) }],
  ];
  for (const [name, parts] of refused) {
    const forged = handSigned(
      { kind: 'access-keys', to: TO, changes: [writeChange(ANN)], at: AT, ...parts },
      keys.revocation,
    );
    await t.rejects(verifyFact(forged, keys.pinned), { code: 'malformed' }, name);
  }
  const good = handSigned({ kind: 'access-keys', to: TO, changes: [writeChange(ANN)], at: AT }, keys.revocation);
  t.match(await verifyFact(good, keys.pinned), { page }, 'and without a fault it is taken');
  const long = handSigned(
    { kind: 'access-keys', to: TO, changes: ['A'.repeat(MOST_PAGE_BYTES)], at: AT },
    keys.revocation,
  );
  await t.rejects(verifyFact(long, keys.pinned), { code: 'too-large' });
});

t.test('pages hold what fits, however long the changes are', async (t) => {
  const keys = await createFeedKeys();
  const many = Array.from({ length: 1200 }, (_, index) => ({ ...ANN, accessKeyId: `AKIA${index}` }));
  t.same(
    intoPages(many).map(({ length }) => length),
    [500, 500, 200],
  );
  const regions = Array.from({ length: 100 }, (_, index) => `${String(index).padStart(3, '0')}${'x'.repeat(60)}`);
  const long = many
    .slice(0, 40)
    .map((one) => ({ ...one, accessKeyId: one.accessKeyId.padEnd(128, 'x'), regions, services: regions }));
  const pages = intoPages(long);
  t.equal(pages.flat().length, 40);
  for (const changes of pages) {
    t.ok((await signAccessKeyPage({ to: TO, changes, at: AT }, keys.revocation)).length < MOST_PAGE_BYTES);
  }
});

t.test(
  'changes count as part of an accepted set only, survive restarts, and pages give way to newer ones',
  async (t) => {
    const publisher = new Publisher(await createFeedKeys());
    const { pinned } = publisher.keys;
    const state = FeedState.empty(pinned, RULE);
    await publisher.change(NOW, { ...ANN, status: 'disabled' });
    const first = await publisher.document(NOW);
    const cut = await state.accept({ ...first, statements: [...first.statements, 'x.y.z'] }, NOW + DAY_MS * 2);
    t.match(cut, { beacon: { outcome: 'refused', code: 'expired' }, newChanges: [] });
    t.equal(state.accessKeys.get('AKIAANN'), undefined, 'a change may allow, so that it needs its beacon');

    const taken = await state.accept(first, NOW);
    t.match(taken.newChanges, [{ accessKeyId: 'AKIAANN', change: 1, status: 'disabled' }]);
    t.same((await state.accept(first, NOW)).newChanges, [], 'nothing is new twice');
    for (const status of ['enabled', 'disabled', 'enabled', 'disabled'] as const) {
      await publisher.change(NOW, { ...ANN, status }, { ...ANN, accessKeyId: 'AKIABEN', status });
      t.equal((await state.accept(await publisher.document(NOW), NOW)).newChanges.length, 2);
    }
    const lists = JSON.parse(state.serialise()) as { further: string[]; named: string[] };
    t.same([lists.further.length, lists.named.length], [0, 1], 'of the open page its last form is kept, and no other');

    // The publisher is set back: its database knows nothing of the changes.
    publisher.losePages();
    await publisher.change(NOW, { ...ANN, accessKeyId: 'AKIACYD' });
    t.match((await state.accept(await publisher.document(NOW), NOW)).newChanges, [{ accessKeyId: 'AKIACYD' }]);
    t.match(state.accessKeys.get('AKIAANN'), { status: 'disabled', change: 5 }, 'what was disabled stays so');
    const { state: restored } = await FeedState.restore(state.serialise(), pinned, RULE);
    t.same(restored.accessKeys.get('AKIAANN'), state.accessKeys.get('AKIAANN'));
    t.equal(restored.accessKeys.size, 3);

    const tampered = state.serialise().replace(/("further":\["[^.]+\.[^.]{40})./, '$1_');
    await t.rejects(
      FeedState.restore(tampered, pinned, RULE),
      { code: /bad-signature|malformed/ },
      'one bad page refuses the file',
    );

    // The last day of keys issued before, the presigned life, the skew, and the skew of the beacon's clock.
    const end = keptUntil({ to: lastDayOfChange(NOW) }, RULE) + RULE.clockSkewSeconds * 1000;
    publisher.losePages();
    await restored.accept(await publisher.document(end - 1), end - 1);
    t.equal(restored.accessKeys.size, 3, 'kept to the end');
    await restored.accept(await publisher.document(end), end);
    t.equal(restored.accessKeys.size, 0, 'and no longer');
  },
);

/*
 * An edge behind a network, or a region, that does what it likes with all that was ever published. It cannot sign.
 */
const HORIZONS: Horizons = { softSeconds: 60, hardSeconds: 6 * 3600 };
const KEYS = ['AKIAANN', 'AKIABEN', 'AKIACYD'];
const which = fc.nat(1000);
const step = fc.oneof(
  fc.record({
    do: fc.constant('wait' as const),
    ms: fc.constantFrom(1, 30_000, HOUR_MS, 7 * HOUR_MS, 26 * HOUR_MS, 6 * DAY_MS),
  }),
  fc.record({
    do: fc.constant('change' as const),
    key: fc.nat(2),
    status: fc.constantFrom(...ACCESS_KEY_STATUSES),
    rotated: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('deliver' as const, 'race' as const, 'mix' as const), which, other: which }),
  fc.record({
    do: fc.constantFrom('publish' as const, 'publish' as const, 'honest' as const, 'restart' as const, 'lose' as const),
  }),
);

class World {
  now = NOW;
  readonly publisher: Publisher;
  state: FeedState;
  readonly documents: (FeedDocument & { readonly statements: readonly string[] })[] = [];
  /** What every access key is, apart from the code under test: the last word that was published, and when. */
  readonly truth = new Map<string, { readonly change: AccessKeyChange; readonly at: number }>();
  isSetBack = false;
  #pending = new Map<string, Omit<AccessKeyChange, 'change'>>();
  readonly #versions = new Map<string, number>();
  readonly #seen = new Map<string, { readonly change: number; readonly neededUntil: number }>();

  constructor(keys: FeedKeys) {
    this.publisher = new Publisher(keys);
    this.state = FeedState.empty(keys.pinned, RULE);
  }

  async take(one: typeof step extends fc.Arbitrary<infer Step> ? Step : never): Promise<void> {
    switch (one.do) {
      case 'wait':
        this.now += one.ms;
        return;
      case 'change': {
        const accessKeyId = KEYS[one.key]!;
        const secretVersion = (this.#versions.get(accessKeyId) ?? 1) + (one.rotated ? 1 : 0);
        this.#versions.set(accessKeyId, secretVersion);
        this.#pending.set(accessKeyId, { accessKeyId, status: one.status, secretVersion });
        return;
      }
      case 'lose':
        this.isSetBack = true;
        this.publisher.losePages();
        return;
      case 'publish':
        await this.publish();
        return;
      case 'honest':
        await this.state.accept(await this.publish(), this.now);
        this.checkRight(this.state);
        return;
      case 'deliver':
        await this.#accept(this.documents[one.which % this.documents.length]);
        return;
      case 'race':
        await Promise.all(
          [one.which, one.other].map((which) => this.#accept(this.documents[which % this.documents.length])),
        );
        return;
      case 'mix': {
        const beacon = this.documents[one.which % this.documents.length]?.beacon;
        const statements = this.documents[one.other % this.documents.length]?.statements;
        if (beacon && statements)
          await this.#accept({ beacon, statements: [...statements.toReversed(), ...statements] });
        return;
      }
      case 'restart':
        this.state = (await FeedState.restore(this.state.serialise(), this.publisher.keys.pinned, RULE)).state;
        return;
    }
  }

  async #accept(document: FeedDocument | undefined): Promise<void> {
    if (document) await this.state.accept(document, this.now);
  }

  async publish() {
    this.now += 1;
    const changes = [...this.#pending.values()];
    this.#pending = new Map();
    if (changes.length > 0) await this.publisher.change(this.now, ...changes);
    const document = await this.publisher.document(this.now);
    for (const change of changes) {
      this.truth.set(change.accessKeyId, { change: { ...change, change: this.publisher.version }, at: this.now });
    }
    this.documents.push(document);
    return document;
  }

  /** Whether keys that were issued before the change may still be accepted anywhere. */
  #isNeeded(at: number): boolean {
    return this.now < keptUntil({ to: lastDayOfChange(at) }, RULE);
  }

  /** Who has the newest document judges as the truth does. */
  checkRight(state: FeedState): void {
    for (const [accessKeyId, { change, at }] of this.truth) {
      const held = state.accessKeys.get(accessKeyId);
      if (this.#isNeeded(at) && !this.isSetBack && (held === undefined || writeChange(held) !== writeChange(change))) {
        throw new Error(`${accessKeyId} is ${writeChange(change)}, held is ${held && writeChange(held)}`);
      }
    }
  }

  /** Nothing goes back, and nothing is hidden past the hard horizon. */
  check(): void {
    const { state, now } = this;
    for (const accessKeyId of KEYS) {
      const held = state.accessKeys.get(accessKeyId)?.change ?? 0;
      const before = this.#seen.get(accessKeyId);
      if (before && held < before.change && now < before.neededUntil) throw new Error(`${accessKeyId} went back`);
      const published = this.truth.get(accessKeyId);
      const at = published?.change.change === held ? published.at : undefined;
      if (at !== undefined)
        this.#seen.set(accessKeyId, { change: held, neededUntil: keptUntil({ to: lastDayOfChange(at) }, RULE) });
      if (published === undefined || this.isSetBack || !this.#isNeeded(published.at)) continue;
      const isStale = state.freshness(now, HORIZONS) === 'hard';
      if (!isStale && held < published.change.change && now > published.at + HORIZONS.hardSeconds * 1000) {
        throw new Error(`a change of ${accessKeyId} is hidden for longer than the hard horizon`);
      }
    }
  }
}

t.test(
  'late, lost, doubled, shuffled, mixed, raced, restarted, set back: every edge comes to the same end',
  async (t) => {
    const keys = await createFeedKeys();
    const seen = { changed: 0, denied: 0, setBack: 0, refused: 0 };
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 60 }),
      fc.nat(),
      async (plan, seed) => {
        const world = new World(keys);
        for (const one of plan) {
          await world.take(one);
          world.check();
          if (world.state.accessKeys.size > 0) seen.changed += 1;
          if (world.state.accessKeys.get(KEYS[0]!)?.status === 'disabled') seen.denied += 1;
          if (world.isSetBack) seen.setBack += 1;
        }
        await world.take({ do: 'honest' });
        world.check();
        if (world.isSetBack) return;
        // Another edge that is shown all of it in another order.
        const other = FeedState.empty(keys.pinned, RULE);
        const shuffled = world.documents.toSorted((left, right) => hash(seed, left.beacon) - hash(seed, right.beacon));
        for (const document of [...shuffled, ...shuffled.slice(0, 3), world.documents.at(-1)!]) {
          const { beacon } = await other.accept(document, world.now);
          if (beacon.outcome === 'refused') seen.refused += 1;
        }
        world.checkRight(other);
        const judgement = (state: FeedState) => KEYS.map((id) => state.accessKeys.get(id));
        const needed = KEYS.map((id) =>
          world.publisher.pages.some(({ page }) => page.changes.some((one) => one.accessKeyId === id)),
        );
        const compare = (state: FeedState) => judgement(state).filter((_, index) => needed[index]);
        if (JSON.stringify(compare(other)) !== JSON.stringify(compare(world.state))) throw new Error('they differ');
      },
    );
    await t.resolves(fc.assert(property, { numRuns: 200 }));
    for (const [what, times] of Object.entries(seen)) t.ok(times > 100, `${what} was met ${times} times`);
  },
);

t.test('a page that newer ones say all of is not needed', (t) => {
  const property = fc.property(
    fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
    (lists) => {
      const pages = lists.map((changes, index): SignedPage => {
        const own = changes.map((one) => ({ ...one, accessKeyId: KEYS[one.change % 3]! }));
        return {
          page: { to: TO, changes: own, at: AT },
          digest: String(index) as SignedPage['digest'],
          jws: String(index),
        };
      });
      const all = ChangedAccessKeys.of(pages);
      const less = ChangedAccessKeys.of(pages.filter(({ digest }) => all.needs(digest)).toReversed());
      const stepwise = pages.toReversed().reduce((known, page) => known.with([page]), ChangedAccessKeys.none);
      return [less, stepwise].every(
        (other) => KEYS.every((id) => sameText(all.get(id), other.get(id))) && other.size === all.size,
      );
    },
  );
  fc.assert(property);
  t.ok(isPage({ page: { to: TO, changes: [ANN], at: AT }, digest: '' as SignedPage['digest'], jws: '' }));
  t.equal(addDays(scopeDateOf(NOW), 1), TO);
  t.end();
});

function sameText(left: AccessKeyChange | undefined, right: AccessKeyChange | undefined): boolean {
  return (left && writeChange(left)) === (right && writeChange(right));
}

function changeOf(index: number): string {
  return writeChange({ ...ANN, accessKeyId: `AKIA${String(index).padStart(5, '0')}` });
}

/** Signs what no honest signer would. */
function handSigned(content: Readonly<Record<string, unknown>>, key: FeedKey): string {
  const { kid, kty, crv, x, d } = exportFeedKey(key);
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const sorted = Object.fromEntries(Object.entries(content).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  const signed = `${encoded({ alg: 'EdDSA', typ: 'keyd-access-keys+jwt', kid })}.${encoded(sorted)}`;
  const privateKey = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

function hash(seed: number, text: string): number {
  let value = seed;
  for (const letter of text.slice(-40)) value = (value * 31 + letter.charCodeAt(0)) | 0;
  return value;
}
