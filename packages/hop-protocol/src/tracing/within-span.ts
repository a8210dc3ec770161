import { SpanStatusCode, trace, type Span, type SpanKind, type Tracer } from '@opentelemetry/api';
import { KeydError } from '../errors.js';
import type { SpanFacts } from './span-attributes.js';

export interface SpanOf {
  readonly name: string;
  readonly kind: SpanKind;
  readonly facts: SpanFacts;
}

/** What is traced without a tracer of its own: the OpenTelemetry of the program, or nothing where it has none. */
export function tracerOfTheProgram(): Tracer {
  return trace.getTracer('sigv4-keyd');
}

/** Runs `work` in a span that ends with it; without a tracer in none. */
export function withinSpan<Result>(
  tracer: Tracer | undefined,
  { name, kind, facts }: SpanOf,
  work: () => Promise<Result>,
): Promise<Result> {
  if (tracer === undefined) return work();
  return tracer.startActiveSpan(name, { kind, attributes: facts }, async (span) => {
    try {
      return await work();
    } catch (error) {
      markFailed(span, failureType(error));
      throw error;
    } finally {
      span.end();
    }
  });
}

/** `type`: of a closed set. */
export function markFailed(span: Span, type: string): void {
  addFacts(span, { 'error.type': type });
  span.setStatus({ code: SpanStatusCode.ERROR });
}

export function addFacts(span: Span, facts: SpanFacts): void {
  span.setAttributes(facts);
}

/** Adds to the active span, if there is one. */
export function noteFacts(facts: SpanFacts): void {
  const span = trace.getActiveSpan();
  if (span) addFacts(span, facts);
}

/** Codes such as ECONNREFUSED or 57P01. */
const SYSTEM_CODE = /^[A-Z0-9_]{3,48}$/;

/** The code of a failure and no more: its words may quote anything. */
export function failureType(error: unknown): string {
  if (error instanceof KeydError) return error.code;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return SYSTEM_CODE.test(code) ? code : '_OTHER';
}
