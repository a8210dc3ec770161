import { canonicalRequest } from './canonical-request.js';
import type { Credentials, MultiRegionCredentials } from './credentials.js';
import { unstatedPayloadMode } from './payload-choice.js';
import { EMPTY_BODY_SHA256, payloadHash } from './payload-hash.js';
import type { PathRule } from './path-rule.js';
import { pathRuleOf } from './path-rule.js';
import { percentEncode } from './percent-encoding.js';
import { LONGEST_PRESIGNED_SECONDS } from './policy.js';
import { signableHeaders } from './signable-headers.js';
import { ecdsaSigner, hmacSigner } from './signer.js';
import type { Signer } from './signer.js';
import { payloadLine, statedPayload } from './signing-payload.js';
import type { SigningPayload } from './signing-payload.js';
import { stringToSign } from './string-to-sign.js';
import { latin1, readUnsigned } from './unsigned-request.js';
import type { UnsignedRequest } from './unsigned-request.js';

interface Signing {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly service: string;
  /** Whole seconds, 1 to 604800. */
  readonly expiresSeconds: number;
  /** By default what an unstated payload means: unsigned for S3, a body of no bytes for all else. */
  readonly payload?: SigningPayload;
  /** By default the rule of the service. */
  readonly pathRule?: PathRule;
}

/** How to presign for one region. */
export interface PresignedSigning extends Signing {
  readonly region: string;
}

/** How to presign for the regions of a set: `us-east-1`, `eu-*`, `*`. */
export interface MultiRegionPresignedSigning extends Signing {
  readonly regionSet: readonly string[];
}

/** The target to send in place of the one given. */
export interface PresignedTarget {
  readonly target: string;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

/** Presigns with AWS4-HMAC-SHA256. Throws TypeError or RangeError for what no verifier would accept. */
export function presignRequest(
  request: UnsignedRequest,
  credentials: Credentials,
  signing: PresignedSigning,
): PresignedTarget {
  return signInQuery(request, hmacSigner(credentials, signing), signing);
}

/** Presigns with AWS4-ECDSA-P256-SHA256 (SigV4A). Throws TypeError or RangeError for what no verifier would accept. */
export function presignRequestV4a(
  request: UnsignedRequest,
  credentials: MultiRegionCredentials,
  signing: MultiRegionPresignedSigning,
): PresignedTarget {
  return signInQuery(request, ecdsaSigner(credentials, signing), signing);
}

function signInQuery(request: UnsignedRequest, signer: Signer, signing: Signing): PresignedTarget {
  const { expiresSeconds, service, payload } = signing;
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > LONGEST_PRESIGNED_SECONDS) {
    throw new RangeError(`a presigned URL lives 1 to ${LONGEST_PRESIGNED_SECONDS} whole seconds`);
  }
  const { method, target, query, headers } = readUnsigned(request);
  const signedHeaders = signableHeaders(headers);
  const added = [
    ['X-Amz-Algorithm', signer.algorithm],
    ['X-Amz-Credential', `${signer.accessKeyId}/${signer.scope}`],
    ['X-Amz-Date', signer.amzDate],
    ['X-Amz-SignedHeaders', signedHeaders.join(';')],
    ['X-Amz-Expires', String(expiresSeconds)],
    ['X-Amz-Content-Sha256', payload === undefined ? undefined : statedPayload(payload)],
    ['X-Amz-Security-Token', signer.sessionToken],
    ['X-Amz-Region-Set', signer.regionSet],
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
  const text = stringToSign(signer, canonical);
  const tail = parameters.map(({ name, value }) => `${name}=${value}`).join('&');
  const joint = request.target.includes('?') ? '&' : '?';
  return {
    target: `${request.target}${joint}${tail}&X-Amz-Signature=${signer.sign(text)}`,
    canonicalRequest: canonical,
    stringToSign: text,
  };
}

function unstatedPayloadLine(service: string): string {
  return payloadHash(unstatedPayloadMode('presigned', service), EMPTY_BODY_SHA256) ?? EMPTY_BODY_SHA256;
}
