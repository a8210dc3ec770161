import { addDays, DAY_MS, scopeDateOf, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import {
  FeedState,
  isRevocation,
  type FeedDocument,
  type Horizons,
  type RevocableScope,
  type RevocationStatement,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import fc from 'fast-check';
import t from 'tap';
import { createFeedKeys, HOUR_MS, Publisher, RULE, type FeedKeys } from './publisher.js';

/*
 * An edge behind a network, or a region, that does what it likes with all that was ever published: delivers it late,
 * never, twice, in any order, mixed, cut. It cannot sign. Whatever it does, three promises hold.
 */
const HORIZONS: Horizons = { softSeconds: 60, hardSeconds: 6 * 3600 };
const START = Date.parse('2026-11-01T03:00:00Z');
const SKEW_MS = RULE.clockSkewSeconds * 1000;
const PRESIGNED_MS = RULE.longestPresignedSeconds * 1000;

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | {
      readonly do: 'revoke';
      readonly accessKey: number;
      readonly region: number;
      readonly daysAgo: number;
      readonly days: number;
    }
  | { readonly do: 'lift' | 'lose' | 'deliver'; readonly which: number }
  | { readonly do: 'mix'; readonly which: number; readonly statementsOf: number; readonly cut: number }
  | { readonly do: 'race'; readonly which: number; readonly other: number }
  | { readonly do: 'publish' | 'honest' | 'restart' };

const which = fc.nat(1000);
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 30_000, HOUR_MS, 7 * HOUR_MS, 7 * HOUR_MS, 26 * HOUR_MS, 6 * DAY_MS),
    }),
    fc.record({
      do: fc.constant('revoke' as const),
      accessKey: fc.nat(2),
      region: fc.nat(2),
      daysAgo: fc.nat(8),
      days: fc.nat(3),
    }),
    fc.record({ do: fc.constantFrom('lift' as const, 'lose' as const, 'deliver' as const, 'deliver' as const), which }),
    fc.record({ do: fc.constant('mix' as const), which, statementsOf: which, cut: fc.nat(3) }),
    fc.record({ do: fc.constant('race' as const), which, other: which }),
    fc.record({ do: fc.constantFrom('publish' as const, 'publish' as const, 'honest' as const, 'restart' as const) }),
  ),
  { minLength: 15, maxLength: 60 },
);

const ACCESS_KEYS = [undefined, 'AKIAANN', 'AKIABEN'] as const;
const REGIONS = [undefined, 'us-east-1', 'eu-west-1'] as const;

/** The publisher, all that it ever said, and the edge. The edge's clock may be off, as far as clocks may be. */
class World {
  now = START;
  state: FeedState;
  readonly publisher: Publisher;
  readonly documents: (FeedDocument & { readonly statements: readonly string[] })[] = [];
  /** When each revocation was first part of a published set. */
  readonly publishedAt = new Map<SignedStatement<RevocationStatement>, number>();
  readonly lifted = new Set<string>();
  readonly #edgeClockMs: number;
  readonly #made: SignedStatement<RevocationStatement>[] = [];

  constructor(keys: FeedKeys, edgeClockMs: number) {
    this.publisher = new Publisher(keys);
    this.state = FeedState.empty(keys.pinned, RULE);
    this.#edgeClockMs = edgeClockMs;
  }

  get edgeNow(): number {
    return this.now + this.#edgeClockMs;
  }

  /** An edge that reads an earlier time by this much believes old news for that much longer. */
  get edgeBehindMs(): number {
    return Math.max(0, -this.#edgeClockMs);
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'wait':
        this.now += step.ms;
        return;
      case 'revoke': {
        const from = addDays(scopeDateOf(this.now), -step.daysAgo);
        const accessKeyId = ACCESS_KEYS[step.accessKey];
        const region = REGIONS[step.region];
        const parts = { ...(accessKeyId && { accessKeyId }), ...(region && { region }) };
        this.#made.push(await this.publisher.revoke({ from, to: addDays(from, step.days), ...parts }));
        return;
      }
      case 'lift': {
        const chosen = pick(this.#made, step.which);
        if (chosen === undefined) return;
        this.lifted.add(chosen.digest);
        await this.publisher.lift(chosen);
        return;
      }
      case 'lose': {
        // A publisher set back to an old backup: what it published once stays in force wherever it was seen.
        const chosen = pick([...this.publishedAt.keys()], step.which);
        if (chosen !== undefined) this.publisher.lose(chosen);
        return;
      }
      case 'publish':
        await this.publish();
        return;
      case 'honest': {
        const { beacon } = await this.state.accept(await this.publish(), this.edgeNow);
        if (beacon.outcome !== 'advanced')
          throw new Error(`the newest document was not taken: ${JSON.stringify(beacon)}`);
        this.checkRight();
        return;
      }
      case 'deliver': {
        const document = pick(this.documents, step.which);
        if (document !== undefined) await this.state.accept(document, this.edgeNow);
        return;
      }
      case 'mix': {
        const beacon = pick(this.documents, step.which)?.beacon;
        const statements = pick(this.documents, step.statementsOf)?.statements;
        if (beacon === undefined || statements === undefined) return;
        const cut = statements.slice(step.cut).toReversed();
        await this.state.accept({ beacon, statements: [...cut, ...cut] }, this.edgeNow);
        return;
      }
      case 'race': {
        const both = [step.which, step.other].flatMap((which) => pick(this.documents, which) ?? []);
        await Promise.all(both.map((document) => this.state.accept(document, this.edgeNow)));
        return;
      }
      case 'restart':
        this.state = (await FeedState.restore(this.state.serialise(), this.publisher.keys.pinned, RULE)).state;
        return;
    }
  }

  async publish() {
    this.now += 1;
    const document = await this.publisher.document(this.now);
    this.documents.push(document);
    for (const signed of this.publisher.published.filter(isRevocation)) {
      const made = this.#made.find(({ jws }) => jws === signed.jws)!;
      if (!this.publishedAt.has(made)) this.publishedAt.set(made, this.now);
    }
    return document;
  }

  /** Scopes whose signatures can still be accepted, by the edge's own clock. */
  scopes(): readonly RevocableScope[] {
    const today = scopeDateOf(this.edgeNow);
    return Array.from({ length: 10 }, (_, daysAgo) => addDays(today, -daysAgo))
      .filter((date) => this.edgeNow < startOfScopeDate(date) + DAY_MS + PRESIGNED_MS + SKEW_MS)
      .flatMap((date) =>
        ['AKIAANN', 'AKIABEN', 'AKIACYD'].flatMap((accessKeyId) =>
          ['us-east-1', 'eu-west-1'].map((region) => ({ accessKeyId, region, service: 's3', date, createdAt: 0 })),
        ),
      );
  }

  serves(scope: RevocableScope): boolean {
    const { state, edgeNow } = this;
    return state.freshness(edgeNow, HORIZONS) !== 'hard' && state.revocations.find(scope) === undefined;
  }

  /** One accepted document makes an edge right, and not too strict either. */
  checkRight(): void {
    const named = this.publisher.published.filter(isRevocation).filter(({ digest }) => !this.lifted.has(digest));
    // What its publisher lost may be known to this edge, or not: no promise is made of it here.
    const possible = [...named, ...this.publishedAt.keys()].filter(({ digest }) => !this.publisher.lifted.has(digest));
    for (const scope of this.scopes()) {
      const name = `${scope.accessKeyId}/${scope.date}/${scope.region}`;
      const served = this.serves(scope);
      if (served && named.some(({ statement }) => hit(statement, scope))) throw new Error(`${name}: revoked, served`);
      if (!served && !possible.some(({ statement }) => hit(statement, scope)))
        throw new Error(`${name}: good, refused`);
    }
  }

  checkHorizon(): void {
    for (const [{ statement, digest }, at] of this.publishedAt) {
      // Of a statement that its publisher lost, a beacon says nothing; an edge that never saw it cannot know.
      const isNamed = this.publisher.published.some((signed) => signed.digest === digest);
      if (this.lifted.has(digest) || !isNamed) continue;
      if (this.now <= at + HORIZONS.hardSeconds * 1000 + this.edgeBehindMs) continue;
      for (const scope of this.scopes().filter((candidate) => hit(statement, candidate))) {
        if (this.serves(scope)) throw new Error(`${scope.date} served later than publication and hard horizon`);
      }
    }
  }
}

/** Versions never go back, and nothing is un-revoked: what was denied stays denied until that is lifted. */
class Memory {
  readonly #denied = new Map<string, RevocationStatement>();
  #version = 0;

  check(world: World): void {
    const version = world.state.beacon?.version ?? 0;
    if (version < this.#version) throw new Error(`version ${version} after ${this.#version}`);
    this.#version = version;
    for (const { statement, digest } of [...world.state.revocations.statements()].filter(isRevocation)) {
      if (!world.lifted.has(digest)) this.#denied.set(digest, statement);
    }
    for (const digest of world.lifted) this.#denied.delete(digest);
    for (const scope of world.scopes()) {
      const due = [...this.#denied.values()].find((statement) => hit(statement, scope));
      if (due !== undefined && world.serves(scope)) throw new Error(`${scope.date} was un-revoked`);
    }
  }
}

t.test('late, lost, doubled, shuffled, mixed, raced, restarted: the promises hold', async (t) => {
  const keys = await createFeedKeys();
  const seen = { revoked: 0, served: 0, hard: 0, advanced: 0 };
  const property = fc.asyncProperty(steps, fc.integer({ min: -600_000, max: 600_000 }), async (plan, edgeClockMs) => {
    const world = new World(keys, edgeClockMs);
    const memory = new Memory();
    for (const step of plan) {
      await world.take(step);
      world.checkHorizon();
      memory.check(world);
      if (world.state.freshness(world.edgeNow, HORIZONS) === 'hard') seen.hard += 1;
      if (world.state.revocations.size > 0) seen.revoked += 1;
      if (world.scopes().some((scope) => world.serves(scope))) seen.served += 1;
      if ((world.state.beacon?.version ?? 0) > 1) seen.advanced += 1;
    }
    await world.take({ do: 'honest' });
    world.checkHorizon();
    memory.check(world);
  });
  await t.resolves(fc.assert(property, { numRuns: 150 }));
  for (const [what, times] of Object.entries(seen)) t.ok(times > 100, `${what} was met ${times} times`);
});

/** Said once more, apart from the code under test. */
function hit(statement: RevocationStatement, { accessKeyId, region, date }: RevocableScope): boolean {
  return (
    (statement.accessKeyId ?? accessKeyId) === accessKeyId &&
    (statement.region ?? region) === region &&
    Number(statement.from) <= Number(date) &&
    Number(date) <= Number(statement.to)
  );
}

function pick<T>(values: readonly T[], which: number): T | undefined {
  return values.length === 0 ? undefined : values[which % values.length];
}
