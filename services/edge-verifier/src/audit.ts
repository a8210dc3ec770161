import { createHash } from 'node:crypto';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import { formatCredentialScope, type Accepted, type Examined, type RequestHead } from '@sigv4-keyd/sigv4-core';
import type { Refusal } from './answers/refusal.js';

/** What an audit line says of every request, accepted or not. */
export interface AuditedRequest {
  readonly head: RequestHead;
  readonly requestId: string;
}

/** One line for every request that was accepted, and one for every refusal. No path, query, key or signature. */
export class Audit {
  readonly #log: Logger;
  readonly #edge: string;

  constructor(log: Logger, edge: string) {
    this.#log = log;
    this.#edge = edge;
  }

  accepted(request: AuditedRequest, accepted: Accepted): void {
    this.#log.info(
      {
        event: 'request-accepted',
        accessKeyId: accepted.accessKeyId,
        scope: formatCredentialScope(accepted.scope),
        mechanism: accepted.mechanism,
        signedAt: new Date(accepted.signedAt).toISOString(),
        ...this.#of(request),
      },
      'accepted',
    );
  }

  /** `examined` names the access key that the request claims; nothing proves the claim. */
  refused(request: AuditedRequest, { reason, detail, cause }: Refusal, examined?: Examined): void {
    const line = {
      event: 'request-refused',
      reason,
      ...(detail !== undefined && { detail }),
      ...(examined && { claimedAccessKeyId: examined.accessKeyId, scope: formatCredentialScope(examined.scope) }),
      ...this.#of(request),
      ...(cause !== undefined && { err: cause }),
    };
    if (cause === undefined) this.#log.info(line, 'refused');
    else this.#log.error(line, 'refused for a failure of our own or of the upstream');
  }

  #of({ head, requestId }: AuditedRequest): object {
    const query = head.target.indexOf('?');
    const path = query < 0 ? head.target : head.target.slice(0, query);
    // A path may tell more than a log should; its hash still finds the request that an investigation has in hand.
    const pathSha256 = createHash('sha256').update(path, 'latin1').digest('hex');
    return { requestId, method: head.method, pathSha256, edge: this.#edge };
  }
}
