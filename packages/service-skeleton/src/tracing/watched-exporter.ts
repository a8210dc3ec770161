import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../logging.js';

/** Says in the log when the collector stops taking traces, and when it takes them again: once each. */
export class WatchedExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: Logger;
  #isTaken = true;
  #lost = 0;

  constructor(exporter: SpanExporter, log: Logger) {
    this.#exporter = exporter;
    this.#log = log;
  }

  export(spans: ReadableSpan[], onResult: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      this.#judge(result, spans.length);
      onResult(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #judge({ code, error }: ExportResult, spans: number): void {
    const isTaken = code === ExportResultCode.SUCCESS;
    if (!isTaken) this.#lost += spans;
    if (isTaken === this.#isTaken) return;
    this.#isTaken = isTaken;
    if (isTaken) {
      this.#log.info({ event: 'traces-taken', lostSpans: this.#lost }, 'the collector takes traces again');
      this.#lost = 0;
    } else {
      // What a collector answered is its own text: the log has how it failed, and no more.
      const err = { message: error?.name ?? 'unknown' };
      this.#log.warn({ event: 'traces-lost', err }, 'the collector takes no traces; requests go on without them');
    }
  }
}
