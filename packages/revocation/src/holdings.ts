import type { SignedBeacon } from './beacon.js';
import { ChangedAccessKeys } from './changed-access-keys.js';
import { mayBeForgotten, type RetentionRule } from './retention.js';
import { RevocationSet } from './revocation-set.js';
import { nameSet, type SetName } from './set-hash.js';
import { isPage, isStatement, lastDayOf, type SignedFact } from './signed-fact.js';
import type { SignedStatement } from './statement.js';

/** Verified statements and pages by their bytes. */
export type FactForms = ReadonlyMap<string, SignedFact>;

/** All that is believed at one moment. Never changed; each step makes the next one. */
export interface Holdings {
  /** The newest accepted one: the freshness proof. */
  readonly beacon: SignedBeacon | undefined;
  /** Exactly the set that the beacon names, to be passed on and to be restored. */
  readonly named: FactForms;
  readonly namedAs: SetName;
  /** What the beacon does not name, or not any more; in force all the same. */
  readonly further: FactForms;
  readonly revocations: RevocationSet;
  readonly accessKeys: ChangedAccessKeys;
}

export function holdingsOf(beacon: SignedBeacon | undefined, named: FactForms, further: FactForms): Holdings {
  return { beacon, named, namedAs: nameSet(named.keys()), further, ...inForce(named, further) };
}

/** The statements of `forms` that are not held yet, each once. */
export function newAmong(holdings: Holdings, forms: FactForms): readonly SignedStatement[] {
  const fresh = [...forms.values()].filter(isStatement).filter(({ digest }) => !holdings.revocations.has(digest));
  return [...new Map(fresh.map((signed) => [signed.digest, signed])).values()];
}

/** Takes statements that no accepted beacon names yet. */
export function withFurther(holdings: Holdings, statements: readonly SignedStatement[]): Holdings {
  if (statements.length === 0) return holdings;
  const further = new Map([...holdings.further, ...statements.map((signed) => [signed.jws, signed] as const)]);
  return { ...holdings, further, ...inForce(holdings.named, further) };
}

/**
 * Takes an accepted beacon and the set that it names. What was held and is not named is kept until its own dates and
 * the beacon's time say that no signature can need it: a publisher set back to an old backup un-revokes nothing, and
 * enables nothing. A page is also let go when newer ones say all that it says.
 */
export function withAccepted(
  holdings: Holdings,
  beacon: SignedBeacon,
  named: FactForms,
  rule: RetentionRule,
): Holdings {
  if (named === holdings.named && holdings.further.size === 0) return { ...holdings, beacon };
  const digests = new Set([...named.values()].map(({ digest }) => digest));
  const kept = [...holdings.named, ...holdings.further].filter(
    ([jws, fact]) => !named.has(jws) && !digests.has(fact.digest) && !mayBeForgotten(lastDayOf(fact), rule, beacon.at),
  );
  const { accessKeys } = inForce(named, new Map(kept));
  const further = kept.filter(([, fact]) => isStatement(fact) || accessKeys.needs(fact.digest));
  return holdingsOf(beacon, named, new Map(further));
}

/** What is named comes first: of two pages that say the same, it is the one that is needed. */
function inForce(named: FactForms, further: FactForms): Pick<Holdings, 'revocations' | 'accessKeys'> {
  const facts = [...named.values(), ...further.values()];
  return {
    revocations: RevocationSet.of(facts.filter(isStatement)),
    accessKeys: ChangedAccessKeys.of(facts.filter(isPage)),
  };
}
