import type { SignedBeacon } from './beacon.js';
import { mayBeForgotten, type RetentionRule } from './retention.js';
import { RevocationSet } from './revocation-set.js';
import { nameSet, type SetName } from './set-hash.js';
import type { SignedStatement } from './statement.js';

/** Verified statements by their bytes. */
export type StatementForms = ReadonlyMap<string, SignedStatement>;

/** All that is believed at one moment. Never changed; each step makes the next one. */
export interface Holdings {
  /** The newest accepted one: the freshness proof. */
  readonly beacon: SignedBeacon | undefined;
  /** Exactly the set that the beacon names, to be passed on and to be restored. */
  readonly named: StatementForms;
  readonly namedAs: SetName;
  /** Statements that the beacon does not name, or not any more; in force all the same. */
  readonly further: StatementForms;
  readonly revocations: RevocationSet;
}

export function holdingsOf(beacon: SignedBeacon | undefined, named: StatementForms, further: StatementForms): Holdings {
  return {
    beacon,
    named,
    namedAs: nameSet(named.keys()),
    further,
    revocations: RevocationSet.of([...further.values(), ...named.values()]),
  };
}

/** The statements of `forms` that are not held yet, each once. */
export function newAmong(holdings: Holdings, forms: StatementForms): readonly SignedStatement[] {
  const fresh = [...forms.values()].filter(({ digest }) => !holdings.revocations.has(digest));
  return [...new Map(fresh.map((signed) => [signed.digest, signed])).values()];
}

/** Takes statements that no accepted beacon names yet. */
export function withFurther(holdings: Holdings, statements: readonly SignedStatement[]): Holdings {
  if (statements.length === 0) return holdings;
  const further = new Map([...holdings.further, ...statements.map((signed) => [signed.jws, signed] as const)]);
  return { ...holdings, further, revocations: RevocationSet.of([...further.values(), ...holdings.named.values()]) };
}

/**
 * Takes an accepted beacon and the set that it names. What was held and is not named is kept until its own dates and
 * the beacon's time say that no signature can need it: a publisher set back to an old backup un-revokes nothing.
 */
export function withAccepted(
  holdings: Holdings,
  beacon: SignedBeacon,
  named: StatementForms,
  rule: RetentionRule,
): Holdings {
  if (named === holdings.named && holdings.further.size === 0) return { ...holdings, beacon };
  const digests = new Set([...named.values()].map(({ digest }) => digest));
  const kept = [...holdings.named, ...holdings.further].filter(
    ([jws, { digest, statement }]) =>
      !named.has(jws) && !digests.has(digest) && !mayBeForgotten(statement, rule, beacon.at),
  );
  return holdingsOf(beacon, named, new Map(kept));
}
