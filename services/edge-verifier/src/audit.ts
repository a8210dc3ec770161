import { createHash } from 'node:crypto';
import type { AcceptanceCounts } from '@sigv4-keyd/edge-keys';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { formatCredentialScope, type Accepted, type Examined, type RequestHead } from '@sigv4-keyd/sigv4-core';

/** What an audit line says of every request, accepted or not. */
export interface AuditedRequest {
  readonly head: RequestHead;
  readonly requestId: string;
}

export interface AuditOptions {
  readonly log: Logger;
  readonly counts: AcceptanceCounts;
  readonly clock: Clock;
}

/**
 * One line for every request that was accepted, and one for every refusal. No path, query, key or signature. The
 * accepted are counted, too, for the incident report.
 */
export class Audit {
  readonly #log: Logger;
  readonly #edge: string;
  readonly #counts: AcceptanceCounts;
  readonly #clock: Clock;

  constructor(edge: string, { log, counts, clock }: AuditOptions) {
    this.#log = log;
    this.#edge = edge;
    this.#counts = counts;
    this.#clock = clock;
  }

  accepted(request: AuditedRequest, accepted: Accepted): void {
    this.#counts.count(accepted, this.#clock.now());
    this.#log.info(
      {
        event: 'request-accepted',
        accessKeyId: accepted.accessKeyId,
        scope: formatCredentialScope(accepted.scope),
        algorithm: accepted.algorithm,
        ...(accepted.regionSet && { regionSet: accepted.regionSet }),
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
