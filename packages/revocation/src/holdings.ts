import type { SignedPage } from './access-key-page.js';
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

/** `accessKeys`: what the pages among the facts come to, where that is known already. */
export function holdingsOf(
  beacon: SignedBeacon | undefined,
  named: FactForms,
  further: FactForms,
  accessKeys?: ChangedAccessKeys,
): Holdings {
  const facts = [...further.values(), ...named.values()];
  return {
    beacon,
    named,
    namedAs: nameSet(named.keys()),
    further,
    revocations: RevocationSet.of(facts.filter(isStatement)),
    // What is named comes last: of two pages that say the same, it is the one that is needed.
    accessKeys: accessKeys ?? ChangedAccessKeys.of(facts.filter(isPage)),
  };
}

/** The statements of `forms` that are not held yet, each once. */
export function newAmong(holdings: Holdings, forms: FactForms): readonly SignedStatement[] {
  const fresh = [...forms.values()].filter(isStatement).filter(({ digest }) => !holdings.revocations.has(digest));
  return [...new Map(fresh.map((signed) => [signed.digest, signed])).values()];
}

/** The pages of `forms` that are not held yet. */
export function newPagesAmong({ named, further }: Holdings, forms: FactForms): readonly SignedPage[] {
  if (forms === named) return [];
  return [...forms.values()].filter(isPage).filter(({ jws }) => !named.has(jws) && !further.has(jws));
}

/** Takes statements that no accepted beacon names yet. */
export function withFurther(holdings: Holdings, statements: readonly SignedStatement[]): Holdings {
  if (statements.length === 0) return holdings;
  const further = new Map([...holdings.further, ...statements.map((signed) => [signed.jws, signed] as const)]);
  const facts = [...further.values(), ...holdings.named.values()];
  return { ...holdings, further, revocations: RevocationSet.of(facts.filter(isStatement)) };
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
  const unnamed = [...holdings.named, ...holdings.further].filter(
    ([jws, { digest }]) => !named.has(jws) && !digests.has(digest),
  );
  const accessKeys = holdings.accessKeys.with(newPagesAmong(holdings, named));
  const needed = unnamed.filter(([, fact]) => isStatement(fact) || accessKeys.needs(fact.digest));
  const kept = needed.filter(([, fact]) => !mayBeForgotten(lastDayOf(fact), rule, beacon.at));
  const isForgetting =
    kept.filter(([, fact]) => isPage(fact)).length < needed.filter(([, fact]) => isPage(fact)).length;
  return holdingsOf(beacon, named, new Map(kept), isForgetting ? undefined : accessKeys);
}
