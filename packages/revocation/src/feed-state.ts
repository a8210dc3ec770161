import type { AccessKeyChange } from './access-key-change.js';
import { verifyBeacon, type Beacon, type SignedBeacon } from './beacon.js';
import type { ChangedAccessKeys } from './changed-access-keys.js';
import type { FeedDocument } from './feed.js';
import { FeedError, type FeedProblem } from './feed-problem.js';
import { freshnessOf, type Freshness, type Horizons } from './freshness.js';
import { holdingsOf, newAmong, newPagesAmong, withAccepted, withFurther, type Holdings } from './holdings.js';
import { judgeBeacon } from './judge-beacon.js';
import type { PinnedKeys } from './pinned-keys.js';
import { mayBeForgotten, type RetentionRule } from './retention.js';
import type { RevocationSet } from './revocation-set.js';
import { isSameSet, nameSet } from './set-hash.js';
import { restoreHoldings, writeStateFile } from './state-file.js';
import type { SignedFact } from './signed-fact.js';
import { isRevocation, type SignedStatement } from './statement.js';
import { verifyFacts, type RefusedStatement, type VerifiedSet } from './verify-set.js';

type Came = VerifiedSet<SignedFact>;

/** What became of one document. */
export interface Acceptance {
  /** In force from now on, and not before: what they hit is to be wiped from caches. */
  readonly newStatements: readonly SignedStatement[];
  /** Likewise: what access keys are from now on. */
  readonly newChanges: readonly AccessKeyChange[];
  readonly refusedStatements: readonly RefusedStatement[];
  readonly beacon: BeaconOutcome;
}

export type BeaconOutcome =
  | { readonly outcome: 'advanced' | 'unchanged'; readonly beacon: Beacon }
  | { readonly outcome: 'refused'; readonly code: FeedProblem; readonly detail: string | undefined };

export interface RestoredFeedState {
  readonly state: FeedState;
  /**
   * `retired-key`: the key that signed the held beacon is pinned no more. The statements stay in force, versions count
   * anew, and nothing is fresh until a beacon is accepted: the way back after a beacon key was stolen.
   */
  readonly beacon: 'held' | 'none' | 'retired-key';
}

/**
 * What an edge or a region believes of the feed. It holds no secret, reads no clock and does no I/O; whoever brings it
 * documents (a region, another region, a file host) need not be trusted, only the pinned keys.
 *
 * Revocations are in force as soon as one is seen with a valid signature, whatever else is wrong with the document:
 * they only deny. A lift allows, and a change of an access key may, so these count only as part of a set whose beacon
 * was accepted.
 */
export class FeedState {
  readonly #keys: PinnedKeys;
  readonly #rule: RetentionRule;
  #holdings: Holdings;

  private constructor(keys: PinnedKeys, rule: RetentionRule, holdings: Holdings) {
    this.#keys = keys;
    this.#rule = rule;
    this.#holdings = holdings;
  }

  static empty(keys: PinnedKeys, rule: RetentionRule): FeedState {
    return new FeedState(keys, rule, holdingsOf(undefined, new Map(), new Map()));
  }

  /** Reads what `serialise` wrote, with the checks of `accept`. Throws FeedError; the file is then worth nothing. */
  static async restore(text: string, keys: PinnedKeys, rule: RetentionRule): Promise<RestoredFeedState> {
    const { holdings, beacon } = await restoreHoldings(text, keys);
    return { state: new FeedState(keys, rule, holdings), beacon };
  }

  /** The state as JSON, for a file. Signed documents and nothing else. */
  serialise(): string {
    return writeStateFile(this.#holdings);
  }

  /** All that is in force; a new object whenever something changes. */
  get revocations(): RevocationSet {
    return this.#holdings.revocations;
  }

  /** The last changes of access keys that can still matter; a new object whenever something changes. */
  get accessKeys(): ChangedAccessKeys {
    return this.#holdings.accessKeys;
  }

  /** The newest accepted beacon. */
  get beacon(): Beacon | undefined {
    return this.#holdings.beacon?.beacon;
  }

  /** The newest accepted beacon and its complete set, in the very bytes that came: what a region passes on. */
  get document(): FeedDocument | undefined {
    const { beacon, named } = this.#holdings;
    return beacon === undefined ? undefined : { beacon: beacon.jws, statements: [...named.keys()] };
  }

  freshness(now: number, horizons: Horizons): Freshness {
    return freshnessOf(this.#holdings.beacon, now, horizons, this.#rule.clockSkewSeconds);
  }

  /**
   * Takes from a document what can be believed at `now` (epoch milliseconds; read once by the caller). Never throws for
   * what a document holds. Documents may be accepted concurrently, from several sources.
   */
  async accept(document: FeedDocument, now: number): Promise<Acceptance> {
    const { named, further } = this.#holdings;
    const beacon = await attempt(verifyBeacon(document.beacon, this.#keys));
    const came =
      document.statements &&
      (await verifyFacts(document.statements, this.#keys, (jws) => named.get(jws) ?? further.get(jws)));
    // No await below: what is judged is what is held at the moment of the change.
    return this.#take(beacon, came, now);
  }

  #take(beacon: SignedBeacon | FeedError, came: Came | undefined, now: number): Acceptance {
    if (beacon instanceof FeedError) return this.#refuse(beacon, came);
    const before = this.#holdings;
    const set = came === undefined ? before.namedAs : nameSet(came.verified.keys());
    const { clockSkewSeconds } = this.#rule;
    const objection = judgeBeacon(beacon, { held: before.beacon, set, now, clockSkewSeconds });
    if (objection !== undefined) return this.#refuse(objection, came);
    const named = came === undefined || isSameSet(set, before.namedAs) ? before.named : came.verified;
    this.#holdings = withAccepted(before, beacon, named, this.#rule);
    const outcome = before.beacon?.digest === beacon.digest ? 'unchanged' : 'advanced';
    return {
      newStatements: newAmong(before, named),
      newChanges: this.#holdings.accessKeys.newSince(before.accessKeys, newPagesAmong(before, named)),
      refusedStatements: came?.refused ?? [],
      beacon: { outcome, beacon: beacon.beacon },
    };
  }

  #refuse({ code, detail }: FeedError, came: Came | undefined): Acceptance {
    const before = this.#holdings;
    const newStatements =
      came === undefined ? [] : newAmong(before, came.verified).filter((signed) => this.#isWanted(signed));
    this.#holdings = withFurther(before, newStatements);
    return {
      newStatements,
      newChanges: [],
      refusedStatements: came?.refused ?? [],
      beacon: { outcome: 'refused', code, detail },
    };
  }

  /** Of a document whose beacon was refused: revocations only, and not those that were forgotten for good reason. */
  #isWanted(signed: SignedStatement): boolean {
    const signedTime = this.#holdings.beacon?.at;
    if (!isRevocation(signed)) return false;
    return signedTime === undefined || !mayBeForgotten(signed.statement, this.#rule, signedTime);
  }
}

async function attempt(verification: Promise<SignedBeacon>): Promise<SignedBeacon | FeedError> {
  try {
    return await verification;
  } catch (error) {
    if (error instanceof FeedError) return error;
    throw error;
  }
}
