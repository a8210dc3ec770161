import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import { formatCredentialScope, type Accepted, type RecordedRequest } from '@sigv4-keyd/sigv4-core';
import type { AcceptanceCounts } from './acceptance-counts.js';
import { requestRecord } from './request-record.js';

export interface AcceptanceRecordOptions {
  readonly log: Logger;
  readonly counts: AcceptanceCounts;
  readonly clock: Clock;
}

/** What remains of accepted requests: one line each, and their counts for the incident report. */
export class AcceptanceRecord {
  readonly #edge: string;
  readonly #options: AcceptanceRecordOptions;

  /** `edge` is our SPIFFE id. */
  constructor(edge: string, options: AcceptanceRecordOptions) {
    this.#edge = edge;
    this.#options = options;
  }

  add(accepted: Accepted, request: RecordedRequest): void {
    const { counts, clock, log } = this.#options;
    counts.count(accepted, clock.now());
    log.info(
      {
        event: 'request-accepted',
        accessKeyId: accepted.accessKeyId,
        ...(accepted.session && { parentAccessKeyId: accepted.session.parentAccessKeyId }),
        ...(accepted.session?.name !== undefined && { sessionName: accepted.session.name }),
        scope: formatCredentialScope(accepted.scope),
        algorithm: accepted.algorithm,
        ...(accepted.regionSet && { regionSet: accepted.regionSet }),
        mechanism: accepted.mechanism,
        signedAt: new Date(accepted.signedAt).toISOString(),
        ...requestRecord(request, this.#edge),
      },
      'accepted',
    );
  }
}
