import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Accepted } from '@sigv4-keyd/sigv4-core';
import type { Sigv4Options } from './options.js';
import { Verifier } from './verifier.js';

/** A request that has passed the handler. */
export interface VerifiedRequest extends IncomingMessage {
  /** Who signed the request, and for which scope. */
  sigv4: Accepted;
}

/** As node:http, Connect and Express call it. */
export type Sigv4Handler = (
  request: IncomingMessage & { readonly originalUrl?: string; sigv4?: Accepted },
  response: ServerResponse,
  next: () => void,
) => void;

/** Verifies each request and calls `next` with `request.sigv4` set, or answers the refusal. Comes before parsers. */
export function sigv4Handler(options: Sigv4Options): Sigv4Handler {
  const verifier = new Verifier(options);
  return (request, response, next) => {
    const requestId = randomUUID();
    // Routers cut their own part off `url`; what was signed is the whole.
    void verifier.verify(request, request.originalUrl ?? request.url ?? '', requestId).then((outcome) => {
      if (outcome === 'client-gone') return;
      if (!('reason' in outcome)) {
        request.sigv4 = outcome;
        next();
        return;
      }
      const { status, headers, body } = verifier.answer(outcome, requestId);
      response.writeHead(status, [...headers, 'content-length', String(body.length)]);
      response.end(body);
    });
  };
}
