import type {
  CachedKeySource,
  EdgeIdentity,
  Finding,
  Session,
  SessionFinding,
  SessionTokens,
} from '@sigv4-keyd/hop-protocol';
import type {
  Accepted,
  RecordedRequest,
  Algorithm,
  CredentialScope,
  EcdsaPublicKey,
  KeyFinding,
  KeyMissingReason,
  KSigning,
  ScopeDate,
  SignatureKey,
  SignatureKeySource,
  WindowRule,
} from '@sigv4-keyd/sigv4-core';
import type { AcceptanceRecord } from './acceptances/acceptance-record.js';
import type { ScopeGuard } from './feed/feed-guard.js';
import { REASON_OF_ABSENCE } from './reason-of-absence.js';

/** What is held or asked for, by what it proves. */
type KeysOf<Key> = Pick<CachedKeySource<Key>, 'held' | 'find'>;

/** A key is never found for good: whatever the feed says until the request is accepted counts. */
export type GuardedKeyFinding = Required<Extract<KeyFinding, { found: true }>> | Extract<KeyFinding, { found: false }>;

/** An edge's keys, as those see them who verify with them. */
export interface GuardedKeySource extends Required<SignatureKeySource> {
  /** The key, at once when it is held. Never rejects: a key that cannot be had is a reason like any other. */
  readonly find: (
    accessKeyId: string,
    scope: CredentialScope,
    algorithm: Algorithm,
    sessionToken: string | undefined,
    requestId?: string,
  ) => GuardedKeyFinding | Promise<GuardedKeyFinding>;
}

export interface SignatureKeysOptions {
  /** Where the keys of each algorithm come from. */
  readonly sources: {
    readonly 'AWS4-HMAC-SHA256': KeysOf<KSigning>;
    readonly 'AWS4-ECDSA-P256-SHA256': KeysOf<EcdsaPublicKey>;
  };
  readonly guard: ScopeGuard;
  /** The days that the sources hold keys of. */
  readonly window: WindowRule;
  readonly record: AcceptanceRecord;
  readonly sessions: Pick<SessionTokens, 'find'>;
}

interface Claim {
  readonly accessKeyId: string;
  readonly date: ScopeDate;
  readonly algorithm: Algorithm;
  readonly requestId: string | undefined;
}

/** The keys that this edge proves signatures with. The same rules hold for both algorithms. */
export class SignatureKeys implements GuardedKeySource {
  readonly region: string;
  readonly service: string;
  readonly window: WindowRule;
  readonly judgesSessionTokens = true;
  readonly #options: SignatureKeysOptions;

  constructor({ region, service }: EdgeIdentity, options: SignatureKeysOptions) {
    this.region = region;
    this.service = service;
    this.window = options.window;
    this.#options = options;
  }

  /** The session token comes first: nobody is asked for a temporary access key that no master vouches for. */
  find(
    accessKeyId: string,
    { date }: CredentialScope,
    algorithm: Algorithm,
    sessionToken: string | undefined,
    requestId?: string,
  ): GuardedKeyFinding | Promise<GuardedKeyFinding> {
    const claim = { accessKeyId, date, algorithm, requestId };
    const judged = this.#options.sessions.find(accessKeyId, sessionToken);
    return judged instanceof Promise ? judged.then((finding) => this.#find(claim, finding)) : this.#find(claim, judged);
  }

  #find(
    { accessKeyId, date, algorithm, requestId }: Claim,
    judged: SessionFinding,
  ): GuardedKeyFinding | Promise<GuardedKeyFinding> {
    if ('reason' in judged) return { found: false, reason: judged.reason };
    const { session } = judged;
    const { sources, guard } = this.#options;
    const keys: KeysOf<SignatureKey> = sources[algorithm];
    const denied = guard.objectionTo({ accessKeyId, date, facts: undefined, session });
    if (denied) return { found: false, reason: denied };
    const held = keys.held(date, accessKeyId);
    if (held !== undefined) return this.#read(date, held, session);
    return keys.find(date, accessKeyId, requestId).then(
      (finding) => this.#read(date, finding, session),
      // Whatever the parent's trouble is, the client's is the same; reports upwards log the parent's.
      () => ({ found: false, reason: 'keys-unavailable' }),
    );
  }

  recordAccepted(accepted: Accepted, request: RecordedRequest): void {
    this.#options.record.add(accepted, request);
  }

  #read(date: ScopeDate, finding: Finding<SignatureKey>, session: Session | undefined): GuardedKeyFinding {
    if (typeof finding === 'string') return { found: false, reason: REASON_OF_ABSENCE[finding] };
    const { key, facts } = finding;
    const { accessKeyId } = facts;
    const scope = { accessKeyId, date, facts, session };
    const objection = (): KeyMissingReason | undefined => this.#options.guard.objectionTo(scope);
    const reason = objection();
    return reason === undefined ? { found: true, key, session, objection } : { found: false, reason };
  }
}
