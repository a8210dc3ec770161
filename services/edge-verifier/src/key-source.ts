import {
  CachedKeySource,
  type Clock,
  type EdgeIdentity,
  type Finding,
  type ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import {
  kSigning,
  type CredentialScope,
  type KeyFinding,
  type KeyMissingReason,
  type KService,
  type KSigning,
} from '@sigv4-keyd/sigv4-core';
import type { Configuration } from './configuration.js';
import { windowRuleOf } from './policy.js';

/** Absent access keys are asked for again after this long, so that a new one works within seconds. */
const ABSENT_FOR_MS = 5_000;
/** What the clients of one edge together may ask for that does not exist. */
const MISS_BUDGET = { burst: 1_000, perSecond: 50 };

const REASON_OF_ABSENCE = {
  unknown: 'access-key-unknown',
  disabled: 'access-key-disabled',
  expired: 'access-key-expired',
  'not-for-scope': 'access-key-not-for-scope',
} as const satisfies Record<Extract<Finding<KService>, string>, KeyMissingReason>;

export interface ServiceKeysOptions {
  readonly parent: ServiceKeySource;
  readonly clock: Clock;
  readonly random: () => number;
}

/** This edge's kService, asked of region-keyd once an access key and day. */
export function createServiceKeys(
  settings: Pick<Configuration, 'presigned' | 'longestPresigned' | 'clockSkew' | 'mostKeysADay'>,
  options: ServiceKeysOptions,
): CachedKeySource<KService> {
  return new CachedKeySource({
    ...options,
    window: windowRuleOf(settings),
    mostKeysADay: settings.mostKeysADay,
    absentForMs: ABSENT_FOR_MS,
    missBudget: MISS_BUDGET,
  });
}

/** The signing keys of this edge's scope, derived from the kService that is held. */
export class SigningKeys {
  readonly #serviceKeys: CachedKeySource<KService>;
  readonly #own: EdgeIdentity;
  readonly #clock: Clock;
  /** Keyed by the kService itself: a derived key lives exactly as long as the key it came from is held. */
  readonly #derived = new WeakMap<KService, KSigning>();

  constructor(serviceKeys: CachedKeySource<KService>, own: EdgeIdentity, clock: Clock) {
    this.#serviceKeys = serviceKeys;
    this.#own = own;
    this.#clock = clock;
  }

  /** The signing key, at once when it is held. Never rejects: a key that cannot be had is a reason like any other. */
  find(accessKeyId: string, { date }: CredentialScope): KeyFinding | Promise<KeyFinding> {
    const held = this.#serviceKeys.held(date, accessKeyId);
    if (held !== undefined) return this.#read(held);
    return this.#serviceKeys.find(date, accessKeyId).then(
      (finding) => this.#read(finding),
      // Whatever the parent's trouble is, the client's is the same; reports upwards log the parent's.
      () => ({ found: false, reason: 'keys-unavailable' }),
    );
  }

  #read(finding: Finding<KService>): KeyFinding {
    if (typeof finding === 'string') return { found: false, reason: REASON_OF_ABSENCE[finding] };
    const { expiresAt, services } = finding.facts;
    const hasExpired = expiresAt !== undefined && expiresAt <= this.#clock.now();
    if (hasExpired) return { found: false, reason: 'access-key-expired' };
    const isForService = services?.includes(this.#own.service) ?? true;
    if (!isForService) return { found: false, reason: 'access-key-not-for-scope' };
    return { found: true, key: this.#derive(finding.key) };
  }

  #derive(key: KService): KSigning {
    const known = this.#derived.get(key);
    if (known) return known;
    const derived = kSigning(key);
    this.#derived.set(key, derived);
    return derived;
  }
}
