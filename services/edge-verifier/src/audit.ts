import { requestRecord, type GuardedKeySource } from '@sigv4-keyd/edge-keys';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { formatCredentialScope, type Accepted, type RecordedRequest, type Examined } from '@sigv4-keyd/sigv4-core';

/** Whose signature a request says that it has, and where it would be good. */
export type Claim = Pick<Examined, 'accessKeyId' | 'scope'>;

export interface AuditOptions {
  readonly log: Logger;
  /** Remembers what was accepted, with the keys that it was accepted by. */
  readonly keys: Pick<GuardedKeySource, 'recordAccepted'>;
}

/** One line for every request that was accepted, and one for every refusal. No path, query, key or signature. */
export class Audit {
  readonly #edge: string;
  readonly #options: AuditOptions;

  constructor(edge: string, options: AuditOptions) {
    this.#edge = edge;
    this.#options = options;
  }

  accepted(request: RecordedRequest, accepted: Accepted): void {
    this.#options.keys.recordAccepted(accepted, request);
  }

  /** Nothing proves the claim. */
  refused(request: RecordedRequest, { reason, detail, cause }: Refusal, claim?: Claim): void {
    const { log } = this.#options;
    const line = {
      event: 'request-refused',
      reason,
      ...(detail !== undefined && { detail }),
      ...(claim && { claimedAccessKeyId: claim.accessKeyId, scope: formatCredentialScope(claim.scope) }),
      ...requestRecord(request, this.#edge),
      ...(cause !== undefined && { err: cause }),
    };
    if (cause === undefined) log.info(line, 'refused');
    else log.error(line, 'refused for a failure of our own or of the upstream');
  }
}
