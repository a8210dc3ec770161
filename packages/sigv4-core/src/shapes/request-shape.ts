import { canonicalUri, isNormalisedPath } from '../canonical-uri.js';
import { checkDestination } from '../destination.js';
import { examined } from '../examined.js';
import type { Examined } from '../examined.js';
import { choosePayloadMode, unstatedPayloadMode } from '../payload-choice.js';
import { parsePayloadMode } from '../payload-mode.js';
import type { PayloadMode } from '../payload-mode.js';
import type { VerificationPolicy } from '../policy.js';
import { parseQueryParameters } from '../query-parameters.js';
import { isRefused } from '../refusal.js';
import type { RequestHead } from '../request-head.js';
import { isToken } from '../request-head.js';
import { admitSessionToken } from '../session-token.js';
import type { Writable } from '../writable.js';
import type { ScopeDays, SigningInstant } from './scope-days.js';
import { ShapedRequest } from './shaped-request.js';
import type { SignedHeaderLines } from './signed-header-lines.js';

/**
 * What the requests of one kind of client have in common: the names of their headers, where the signature travels, and
 * the text around what changes. All that follows from it was found out once, by the steps of the reference.
 */
export interface RequestShape {
  /** Two shapes of one key are the same, for one list of header names. */
  readonly key: string;
  /**
   * The request as the reference examines it. Undefined when it is not of this shape, and when anything speaks against
   * it. The names of its headers are the ones that the shape was made of. `now` in epoch milliseconds.
   */
  readonly examine: (head: RequestHead, now: number, days: ScopeDays) => Examined | undefined;
}

/** What the shapes of both mechanisms know of themselves. */
export interface Covered {
  readonly mechanism: 'header' | 'presigned';
  readonly policy: VerificationPolicy;
  /** Of the request that was learnt from; another one may come. */
  readonly method: string;
  readonly signedHeaders: readonly string[];
  readonly lines: SignedHeaderLines;
  /** Where the value of the Host header stands in the raw headers. */
  readonly hostPlace: number;
}

/** What was found in a request of the shape. */
export interface Found {
  readonly path: string;
  /** Whether the path is well formed and has nothing to encode. */
  readonly isPlainPath: boolean;
  readonly query: string;
  readonly canonicalQuery: string;
  readonly accessKeyId: string;
  readonly instant: SigningInstant;
  /** Presigned only. */
  readonly expiresAt: number | undefined;
  readonly signature: string;
  /** The value of x-amz-content-sha256. */
  readonly statedPayload: string | undefined;
  readonly sessionToken: string | undefined;
}

/** The steps that both mechanisms end with. */
export function examineCovered(
  { mechanism, policy, method: knownMethod, signedHeaders, lines, hostPlace }: Covered,
  { method, rawHeaders }: RequestHead,
  found: Found,
): Examined | undefined {
  const { path, accessKeyId, expiresAt } = found;
  const { amzDate, day, signedAt, stringToSignHead } = found.instant;
  if (method !== knownMethod && !isToken(method)) return undefined;
  if (!policy.algorithms.has('AWS4-HMAC-SHA256') || !lines.arePlain(rawHeaders)) return undefined;
  if (checkDestination(rawHeaders[hostPlace], path, policy) !== undefined) return undefined;
  const token = admitSessionToken(accessKeyId, found.sessionToken, policy);
  if (isRefused(token)) return undefined;
  const isCanonical = found.isPlainPath && (policy.pathRule === 's3' || isNormalisedPath(path));
  const uri = isCanonical ? path : canonicalUri(path, policy.pathRule);
  const request = new ShapedRequest({
    method,
    path,
    query: found.query,
    pathRule: policy.pathRule,
    mechanism,
    rawHeaders,
    signedHeaders,
    canonicalHead: `${method}\n${uri}\n${found.canonicalQuery}\n${lines.textOf(rawHeaders)}`,
    stringToSignHead,
  });
  const payload = payloadOf(found.statedPayload, request, policy);
  if (payload === undefined) return undefined;
  const outcome: Writable<Examined> = {
    verdict: 'examined',
    algorithm: 'AWS4-HMAC-SHA256',
    accessKeyId,
    scope: day.scope,
    mechanism,
    amzDate,
    signedAt,
    payload,
    signedHeaders,
    signature: found.signature,
    request,
    describesMismatch: policy.describesMismatch ?? false,
    [examined]: true,
  };
  if (expiresAt !== undefined) outcome.expiresAt = expiresAt;
  if (token.sessionToken !== undefined) outcome.sessionToken = token.sessionToken;
  return outcome;
}

function payloadOf(
  stated: string | undefined,
  request: ShapedRequest,
  policy: VerificationPolicy,
): PayloadMode | undefined {
  const { mechanism } = request;
  const mode = stated === undefined ? unstatedPayloadMode(mechanism, policy.service) : parsePayloadMode(stated);
  if (mode === undefined || !policy.payloadModes.has(mode.kind)) return undefined;
  if (mode.kind === 'exact' || mode.kind === 'body' || mode.kind === 'unsigned') return mode;
  // Bodies in chunks say more in other headers, and take longer than reading these all.
  const query = parseQueryParameters('');
  if (mechanism === 'presigned' || isRefused(query)) return undefined;
  const chosen = choosePayloadMode(request.headers, query, { mechanism, algorithm: 'AWS4-HMAC-SHA256' }, policy);
  return isRefused(chosen) ? undefined : chosen;
}
