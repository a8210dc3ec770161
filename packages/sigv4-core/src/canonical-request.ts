import { canonicalHeaders } from './canonical-headers.js';
import { canonicalQuery } from './canonical-query.js';
import type { Mechanism } from './canonical-query.js';
import { canonicalUri } from './canonical-uri.js';
import type { HeaderTable } from './header-table.js';
import type { PathRule } from './path-rule.js';
import type { QueryParameter } from './query-parameters.js';

/** All of a request that its signature covers, but the payload; strings are latin1. */
export interface SignableRequest {
  readonly method: string;
  readonly path: string;
  readonly pathRule: PathRule;
  readonly parameters: readonly QueryParameter[];
  readonly mechanism: Mechanism;
  readonly headers: HeaderTable;
  /** Lower case and sorted. */
  readonly signedHeaders: readonly string[];
}

/** Step 1 of the specification: the canonical request, latin1. */
export function canonicalRequest(request: SignableRequest, payloadHash: string): string {
  return (
    `${request.method}\n` +
    `${canonicalUri(request.path, request.pathRule)}\n` +
    `${canonicalQuery(request.parameters, request.mechanism)}\n` +
    `${canonicalHeaders(request.headers, request.signedHeaders)}\n` +
    `${request.signedHeaders.join(';')}\n` +
    payloadHash
  );
}
