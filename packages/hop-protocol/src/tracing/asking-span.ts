import { context, propagation, SpanKind } from '@opentelemetry/api';
import { noteFacts, type SpanOf } from './within-span.js';

export interface Asking {
  readonly method: string;
  readonly route: string;
  readonly requestId: string;
}

/** One request to one peer. */
export function askingSpan(url: URL, { method, route, requestId }: Asking): SpanOf {
  return {
    name: `${method} ${route}`,
    kind: SpanKind.CLIENT,
    facts: {
      'http.request.method': method,
      'url.template': route,
      'server.address': url.hostname,
      'server.port': portOf(url),
      'keyd.request_id': requestId,
    },
  };
}

/** The headers of a request, with the active span among them, so that the peer's own is its child. */
export function withTraceparent(headers: Readonly<Record<string, string>>): Record<string, string> {
  const all = { ...headers };
  propagation.inject(context.active(), all);
  return all;
}

/** Tells the active span what was answered. */
export function noteStatus(status: number): void {
  noteFacts({ 'http.response.status_code': status });
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'http:' ? 80 : 443;
}
