import { formatAmzDate } from './amz-date.js';
import { canonicalRequest } from './canonical-request.js';
import { formatCredentialScope } from './credential-scope.js';
import { scopeForSigning, signingKeyFor } from './credentials.js';
import type { Credentials } from './credentials.js';
import { unstatedPayloadMode } from './payload-choice.js';
import { EMPTY_BODY_SHA256, payloadHash } from './payload-hash.js';
import type { PathRule } from './path-rule.js';
import { pathRuleOf } from './path-rule.js';
import { percentEncode } from './percent-encoding.js';
import { LONGEST_PRESIGNED_SECONDS } from './policy.js';
import { signableHeaders } from './signable-headers.js';
import { signatureOf } from './signature.js';
import { payloadLine, statedPayload } from './signing-payload.js';
import type { SigningPayload } from './signing-payload.js';
import { ALGORITHM, stringToSign } from './string-to-sign.js';
import { latin1, readUnsigned } from './unsigned-request.js';
import type { UnsignedRequest } from './unsigned-request.js';

/** How to presign. */
export interface PresignedSigning {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly region: string;
  readonly service: string;
  /** Whole seconds, 1 to 604800. */
  readonly expiresSeconds: number;
  /** By default what an unstated payload means: unsigned for S3, a body of no bytes for all else. */
  readonly payload?: SigningPayload;
  /** By default the rule of the service. */
  readonly pathRule?: PathRule;
}

/** The target to send in place of the one given. */
export interface PresignedTarget {
  readonly target: string;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

/** Signs in the query. Throws TypeError or RangeError for what no verifier would accept. */
export function presignRequest(
  request: UnsignedRequest,
  credentials: Credentials,
  signing: PresignedSigning,
): PresignedTarget {
  const { expiresSeconds, now, region, service, payload } = signing;
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > LONGEST_PRESIGNED_SECONDS) {
    throw new RangeError(`a presigned URL lives 1 to ${LONGEST_PRESIGNED_SECONDS} whole seconds`);
  }
  const { method, target, query, headers } = readUnsigned(request);
  const scope = scopeForSigning(now, region, service);
  const key = signingKeyFor(credentials, scope);
  const amzDate = formatAmzDate(now);
  const signedHeaders = signableHeaders(headers);
  const added = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${formatCredentialScope(scope)}`],
    ['X-Amz-Date', amzDate],
    ['X-Amz-SignedHeaders', signedHeaders.join(';')],
    ['X-Amz-Expires', String(expiresSeconds)],
    ['X-Amz-Content-Sha256', payload === undefined ? undefined : statedPayload(payload)],
    ['X-Amz-Security-Token', credentials.sessionToken],
  ] as const;
  const parameters = added.flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: percentEncode(latin1(value), 'encoded') }],
  );
  const canonical = canonicalRequest(
    {
      method,
      path: target.path,
      pathRule: signing.pathRule ?? pathRuleOf(service),
      parameters: [...query.all, ...parameters],
      mechanism: 'presigned',
      headers,
      signedHeaders,
    },
    payload === undefined ? unstatedPayloadLine(service) : payloadLine(payload),
  );
  const text = stringToSign(amzDate, scope, canonical);
  const tail = parameters.map(({ name, value }) => `${name}=${value}`).join('&');
  const joint = request.target.includes('?') ? '&' : '?';
  return {
    target: `${request.target}${joint}${tail}&X-Amz-Signature=${signatureOf(key, text)}`,
    canonicalRequest: canonical,
    stringToSign: text,
  };
}

function unstatedPayloadLine(service: string): string {
  return payloadHash(unstatedPayloadMode('presigned', service), EMPTY_BODY_SHA256) ?? EMPTY_BODY_SHA256;
}
