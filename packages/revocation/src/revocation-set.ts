import { hitsDay, type RevocableScope } from './matching.js';
import type { DocumentDigest } from './signed-document.js';
import { isLift, isRevocation, type RevocationStatement, type SignedStatement } from './statement.js';

/** What a verifier asks on every request. */
export interface RevocationLookup {
  /** One of the statements that deny the scope, or undefined. */
  find(scope: RevocableScope): RevocationStatement | undefined;
}

/** Statements by region and service, either of which may be absent (''). No name holds a slash. */
type ByPlace = Map<string, RevocationStatement[]>;

/**
 * A set of statements, never changed after it was made: the union of what it was made from, whatever the order and
 * however often. Revocations that are lifted are in it and deny nothing.
 *
 * A lookup reads two small tables by exact keys, so its cost does not grow with the number of revoked access keys.
 */
export class RevocationSet implements RevocationLookup {
  readonly #statements: ReadonlyMap<DocumentDigest, SignedStatement>;
  readonly #ofEveryKey: ByPlace = new Map();
  readonly #ofOneKey = new Map<string, ByPlace>();
  readonly #lifted: ReadonlySet<DocumentDigest>;

  private constructor(statements: Iterable<SignedStatement>) {
    this.#statements = new Map([...statements].map((signed) => [signed.digest, signed]));
    const all = [...this.#statements.values()];
    this.#lifted = new Set(all.filter(isLift).map(({ statement }) => statement.lifts));
    for (const { statement, digest } of all.filter(isRevocation)) {
      if (!this.#lifted.has(digest)) this.#index(statement);
    }
  }

  static of(statements: Iterable<SignedStatement>): RevocationSet {
    return new RevocationSet(statements);
  }

  /** Distinct statements, lifts and what they lift included. */
  get size(): number {
    return this.#statements.size;
  }

  has(digest: DocumentDigest): boolean {
    return this.#statements.has(digest);
  }

  get(digest: DocumentDigest): SignedStatement | undefined {
    return this.#statements.get(digest);
  }

  /** Whether a lift of this digest is in the set; the statement itself may not be known yet. */
  isLifted(digest: DocumentDigest): boolean {
    return this.#lifted.has(digest);
  }

  statements(): IterableIterator<SignedStatement> {
    return this.#statements.values();
  }

  find(scope: RevocableScope): RevocationStatement | undefined {
    if (this.#statements.size === 0) return undefined;
    return findIn(this.#ofEveryKey, scope) ?? findIn(this.#ofOneKey.get(scope.accessKeyId), scope);
  }

  #index(statement: RevocationStatement): void {
    const { accessKeyId, region = '', service = '' } = statement;
    const places = accessKeyId === undefined ? this.#ofEveryKey : this.#placesOf(accessKeyId);
    const place = `${region}/${service}`;
    const there = places.get(place);
    if (there === undefined) places.set(place, [statement]);
    else there.push(statement);
  }

  #placesOf(accessKeyId: string): ByPlace {
    const known = this.#ofOneKey.get(accessKeyId);
    if (known !== undefined) return known;
    const places: ByPlace = new Map();
    this.#ofOneKey.set(accessKeyId, places);
    return places;
  }
}

function findIn(places: ByPlace | undefined, scope: RevocableScope): RevocationStatement | undefined {
  if (places === undefined || places.size === 0) return undefined;
  const { region, service } = scope;
  for (const place of [`${region}/${service}`, `${region}/`, `/${service}`, '/']) {
    const statement = places.get(place)?.find((candidate) => hitsDay(candidate, scope));
    if (statement !== undefined) return statement;
  }
  return undefined;
}
