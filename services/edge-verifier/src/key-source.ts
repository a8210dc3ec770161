import { randomBytes } from 'node:crypto';
import {
  CachedKeySource,
  HeldDays,
  SERVICE_KEYS,
  type Clock,
  type DenialOf,
  type Finding,
  type ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import {
  kSigning,
  type CredentialScope,
  type KeyMissingReason,
  type KService,
  type KSigning,
  type ScopeDate,
} from '@sigv4-keyd/sigv4-core';
import type { Configuration } from './configuration.js';
import type { ScopeGuard } from './feed/feed-guard.js';
import { windowRuleOf } from './policy.js';
import { REASON_OF_ABSENCE } from './reason-of-absence.js';

/** Absent access keys are asked for again after this long, so that a new one works within seconds. */
const ABSENT_FOR_MS = 5_000;
/** What the clients of one edge together may ask for that does not exist. */
const MISS_BUDGET = { burst: 1_000, perSecond: 50 };

export interface ServiceKeysOptions {
  readonly parent: ServiceKeySource;
  readonly clock: Clock;
  readonly random: () => number;
  /** What is denied is not held. */
  readonly denialOf: DenialOf;
}

/** This edge's kService, held; what is used of each is the kSigning that is derived from it. */
export type ServiceKeys = CachedKeySource<KService, KSigning>;

/** This edge's kService, asked of region-keyd once an access key and day. */
export function createServiceKeys(
  settings: Pick<Configuration, 'presigned' | 'longestPresigned' | 'clockSkew' | 'keyMemory'>,
  { parent, clock, random, denialOf }: ServiceKeysOptions,
): ServiceKeys {
  const days = new HeldDays({
    hop: SERVICE_KEYS,
    ready: (key: KService) => kSigning(key),
    clock,
    window: windowRuleOf(settings),
    memoryBytes: settings.keyMemory,
    hashSeed: randomBytes(8),
    denialOf,
  });
  return new CachedKeySource({ parent, days, clock, random, absentForMs: ABSENT_FOR_MS, missBudget: MISS_BUDGET });
}

/** The signing key of an access key for a scope, or why there is none. */
export type SigningKeyFinding =
  | {
      readonly found: true;
      readonly key: KSigning;
      /** Why the key may not be used any more. To be asked again right before a request counts as accepted. */
      readonly objection: () => KeyMissingReason | undefined;
    }
  | { readonly found: false; readonly reason: KeyMissingReason };

export interface SigningKeysOptions {
  readonly serviceKeys: ServiceKeys;
  readonly guard: ScopeGuard;
}

/** The signing keys of this edge's scope, derived from the kService that is held. */
export class SigningKeys {
  readonly #options: SigningKeysOptions;

  constructor(options: SigningKeysOptions) {
    this.#options = options;
  }

  /** The signing key, at once when it is held. Never rejects: a key that cannot be had is a reason like any other. */
  find(accessKeyId: string, { date }: CredentialScope): SigningKeyFinding | Promise<SigningKeyFinding> {
    const { serviceKeys, guard } = this.#options;
    const denied = guard.objectionTo({ accessKeyId, date, facts: undefined });
    if (denied) return { found: false, reason: denied };
    const held = serviceKeys.held(date, accessKeyId);
    if (held !== undefined) return this.#read(date, held);
    return serviceKeys.find(date, accessKeyId).then(
      (finding) => this.#read(date, finding),
      // Whatever the parent's trouble is, the client's is the same; reports upwards log the parent's.
      () => ({ found: false, reason: 'keys-unavailable' }),
    );
  }

  #read(date: ScopeDate, finding: Finding<KSigning>): SigningKeyFinding {
    if (typeof finding === 'string') return { found: false, reason: REASON_OF_ABSENCE[finding] };
    const { key, facts } = finding;
    const { accessKeyId } = facts;
    const objection = (): KeyMissingReason | undefined => this.#options.guard.objectionTo({ accessKeyId, date, facts });
    const reason = objection();
    return reason === undefined ? { found: true, key, objection } : { found: false, reason };
  }
}
