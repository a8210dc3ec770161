import type { Clock } from '@sigv4-keyd/hop-protocol';
import { isoTimes, type Logger } from '@sigv4-keyd/service-skeleton';
import { formatCredentialScope, type Accepted, type RecordedRequest } from '@sigv4-keyd/sigv4-core';
import type { AcceptanceCounts } from './acceptance-counts.js';
import { pathSha256 } from './request-record.js';

export interface AcceptanceRecordOptions {
  readonly log: Logger;
  readonly counts: AcceptanceCounts;
  readonly clock: Clock;
}

/** What remains of accepted requests: one line each, and their counts for the incident report. */
export class AcceptanceRecord {
  readonly #edge: string;
  readonly #options: AcceptanceRecordOptions;
  readonly #isoTime = isoTimes();

  /** `edge` is our SPIFFE id. */
  constructor(edge: string, options: AcceptanceRecordOptions) {
    this.#edge = edge;
    this.#options = options;
  }

  add(accepted: Accepted, request: RecordedRequest): void {
    const { counts, clock, log } = this.#options;
    const { accessKeyId, session, scope, algorithm, regionSet, mechanism, signedAt } = accepted;
    counts.count(accepted, clock.now());
    // One literal: spreads took a tenth of what all this takes. What is undefined is left out of the line.
    log.info(
      {
        event: 'request-accepted',
        accessKeyId,
        parentAccessKeyId: session?.parentAccessKeyId,
        sessionName: session?.name,
        scope: formatCredentialScope(scope),
        algorithm,
        regionSet,
        mechanism,
        signedAt: this.#isoTime(signedAt),
        requestId: request.requestId,
        method: request.head.method,
        pathSha256: pathSha256(request.head),
        edge: this.#edge,
      },
      'accepted',
    );
  }
}
