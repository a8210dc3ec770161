import {
  canonicalHeaderValue,
  canonicalQuery,
  canonicalUri,
  EMPTY_BODY_SHA256,
  isRefused,
  parseQueryParameters,
  pathRuleOf,
  PAYLOAD_TOKENS,
  sha256Hex,
} from '@sigv4-keyd/sigv4-core';
import { bodyHashes, type BodyHash } from './body-hashes.js';
import type { CapturedRequest } from './capture/captured-request.js';
import { headerOf } from './capture/head-lines.js';
import type { KeyDerivation } from './derivation.js';
import type { Presented } from './presented.js';

/** Everything that a signature was made of, as somebody may have thought it is; latin1. */
export interface Sketch {
  readonly method: string;
  readonly canonicalUri: string;
  readonly canonicalQuery: string;
  /** Canonical values of the signed headers, in the order of the list; a header that did not arrive is empty. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payloadHash: string;
  readonly amzDate: string;
  /** As it stands in the string to sign. */
  readonly scope: string;
  readonly derivation: KeyDerivation;
}

/** A recorded request with what its signature is made of when nobody makes a mistake. */
export interface Case {
  readonly request: CapturedRequest;
  readonly presented: Presented;
  /** Path and query, undecoded. */
  readonly path: string;
  readonly query: string;
  readonly bodyHashes: readonly BodyHash[];
  readonly sketch: Sketch;
}

/** What the signature of the request should have been made of, going by the request itself. */
export function caseOf(request: CapturedRequest, presented: Presented, secret: string): Case {
  const mark = request.target.indexOf('?');
  const path = mark < 0 ? request.target : request.target.slice(0, mark);
  const query = mark < 0 ? '' : request.target.slice(mark + 1);
  const { date, region, service } = presented;
  const sketch = {
    method: request.method,
    canonicalUri: canonicalUri(path, pathRuleOf(service)),
    canonicalQuery: rightQuery(query, presented),
    headers: new Map(presented.signedHeaders.map((name) => [name, joinedValue(request.rawHeaders, name)])),
    payloadHash: rightPayloadHash(request, presented),
    amzDate: presented.amzDate,
    scope: presented.scope,
    derivation: { form: 'right', secret, date, region, service },
  } as const;
  // Once for the whole search: a body may be large.
  const hashes = request.body === undefined ? [] : bodyHashes(request.body);
  return { request, presented, path, query, bodyHashes: hashes, sketch };
}

function rightQuery(query: string, { mechanism }: Presented): string {
  const parameters = parseQueryParameters(query);
  return isRefused(parameters) ? query : canonicalQuery(parameters.all, mechanism);
}

/** All copies of a header, as they are signed. */
function joinedValue(rawHeaders: readonly string[], name: string): string {
  return valuesOf(rawHeaders, name).map(canonicalHeaderValue).join(',');
}

/** Every copy of a header, as it came. */
export function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_text, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name.toLowerCase());
}

function rightPayloadHash({ rawHeaders, target, body }: CapturedRequest, { mechanism, service }: Presented): string {
  const inQuery = /[?&]X-Amz-Content-Sha256=([^&]*)/i.exec(target)?.[1];
  const stated = headerOf(rawHeaders, 'x-amz-content-sha256') ?? inQuery;
  if (stated !== undefined) return stated;
  if (mechanism === 'presigned' && pathRuleOf(service) === 's3') return PAYLOAD_TOKENS.unsigned;
  return body === undefined ? EMPTY_BODY_SHA256 : sha256Hex(body);
}
