import { context } from '@opentelemetry/api';
import { requestRecord, type GuardedKeySource } from '@sigv4-keyd/edge-keys';
import type { AwaitedLines, Logger } from '@sigv4-keyd/service-skeleton';
import { ERROR_CODES, type Refusal } from '@sigv4-keyd/sigv4-answers';
import { formatCredentialScope, type Accepted, type RecordedRequest, type Examined } from '@sigv4-keyd/sigv4-core';
import type { VerdictMeter } from './request-meter.js';
import type { Stopwatch } from './stopwatch.js';
import { noteAccepted, noteRefused } from './tracing/traced-front.js';

/** Whose signature a request says that it has, and where it would be good. */
export type Claim = Pick<Examined, 'accessKeyId' | 'scope'>;

/** A request, and since when it is being judged. */
export interface AuditedRequest extends RecordedRequest {
  readonly stopwatch: Stopwatch;
}

export interface AuditOptions {
  readonly log: Logger;
  readonly lines: AwaitedLines;
  readonly meter: VerdictMeter;
  /** Remembers what was accepted, with the keys that it was accepted by. */
  readonly keys: Pick<GuardedKeySource, 'recordAccepted'>;
  /** Whether requests have spans that are to tell of the verdict. */
  readonly isTraced: boolean;
}

/**
 * One line and one count for every request that was accepted or refused. No path, query, key or signature. `then` goes
 * on with the request, behind its line: whoever has an answer finds it in the log, even if the edge was killed since.
 */
export class Audit {
  readonly #edge: string;
  readonly #options: AuditOptions;

  constructor(edge: string, options: AuditOptions) {
    this.#edge = edge;
    this.#options = options;
  }

  accepted(request: AuditedRequest, accepted: Accepted, then: () => void): void {
    if (this.#options.isTraced) noteAccepted(accepted);
    this.#options.meter.accepted(accepted, request.stopwatch.stop());
    this.#behind(() => this.#options.keys.recordAccepted(accepted, request), then);
  }

  /** Nothing proves the claim. */
  refused(
    request: AuditedRequest,
    { reason, detail, cause }: Refusal,
    claim: Claim | undefined,
    then: () => void,
  ): void {
    const { log, meter, isTraced } = this.#options;
    if (isTraced) noteRefused({ reason }, cause !== undefined || ERROR_CODES[reason][0] >= 500);
    meter.refused(reason, request.stopwatch.stop());
    const line = {
      event: 'request-refused',
      reason,
      ...(detail !== undefined && { detail }),
      ...(claim && { claimedAccessKeyId: claim.accessKeyId, scope: formatCredentialScope(claim.scope) }),
      ...requestRecord(request, this.#edge),
      ...(cause !== undefined && { err: cause }),
    };
    this.#behind(() => {
      if (cause === undefined) log.info(line, 'refused');
      else log.error(line, 'refused for a failure of our own or of the upstream');
    }, then);
  }

  /** The lines of many requests are written together: each goes on in the span of its own. */
  #behind(log: () => void, then: () => void): void {
    const { lines, isTraced } = this.#options;
    lines.gather(log, isTraced ? context.bind(context.active(), then) : then);
  }
}
