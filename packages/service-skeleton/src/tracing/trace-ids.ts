import { trace } from '@opentelemetry/api';

/** What a log line has of the span that it was written in, under the names that OpenTelemetry gives them. */
export function traceIds(): Readonly<Record<string, string>> {
  const span = trace.getActiveSpan();
  if (span === undefined) return {};
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}
