import { canonicalHeaderValue } from './canonical-headers.js';
import { canonicalRequest } from './canonical-request.js';
import type { Credentials, MultiRegionCredentials } from './credentials.js';
import type { PathRule } from './path-rule.js';
import { pathRuleOf } from './path-rule.js';
import { statedPayload, payloadLine } from './signing-payload.js';
import type { SigningPayload } from './signing-payload.js';
import { signableHeaders } from './signable-headers.js';
import { ecdsaSigner, hmacSigner } from './signer.js';
import type { Signer } from './signer.js';
import { stringToSign } from './string-to-sign.js';
import { latin1, readUnsigned } from './unsigned-request.js';
import type { UnsignedRequest } from './unsigned-request.js';

interface Signing {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly service: string;
  readonly payload: SigningPayload;
  /** By default the rule of the service. */
  readonly pathRule?: PathRule;
}

/** How to sign in the Authorization header, for one region. */
export interface HeaderSigning extends Signing {
  readonly region: string;
}

/** How to sign in the Authorization header, for the regions of a set: `us-east-1`, `eu-*`, `*`. */
export interface MultiRegionHeaderSigning extends Signing {
  readonly regionSet: readonly string[];
}

/** The headers to add, in order. */
export interface HeaderSigned {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

/** Signs with AWS4-HMAC-SHA256. Throws TypeError or RangeError for what no verifier would accept. */
export function signRequest(request: UnsignedRequest, credentials: Credentials, signing: HeaderSigning): HeaderSigned {
  return signInHeader(request, hmacSigner(credentials, signing), signing);
}

/** Signs with AWS4-ECDSA-P256-SHA256 (SigV4A). Throws TypeError or RangeError for what no verifier would accept. */
export function signRequestV4a(
  request: UnsignedRequest,
  credentials: MultiRegionCredentials,
  signing: MultiRegionHeaderSigning,
): HeaderSigned {
  return signInHeader(request, ecdsaSigner(credentials, signing), signing);
}

function signInHeader(request: UnsignedRequest, signer: Signer, signing: Signing): HeaderSigned {
  const { method, target, query, headers } = readUnsigned(request);
  const candidates = [
    ['x-amz-security-token', signer.sessionToken],
    ['x-amz-date', signer.amzDate],
    ['x-amz-region-set', signer.regionSet],
    ['x-amz-content-sha256', statedPayload(signing.payload)],
  ] as const;
  const added = candidates.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const toSign = new Map(headers);
  for (const [name, value] of added) toSign.set(name, canonicalHeaderValue(latin1(value)));
  const signedHeaders = signableHeaders(toSign);
  const canonical = canonicalRequest(
    {
      method,
      path: target.path,
      pathRule: signing.pathRule ?? pathRuleOf(signing.service),
      parameters: query.all,
      mechanism: 'header',
      headers: toSign,
      signedHeaders,
    },
    payloadLine(signing.payload),
  );
  const text = stringToSign(signer, canonical);
  const authorization =
    `${signer.algorithm} Credential=${signer.accessKeyId}/${signer.scope}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signer.sign(text)}`;
  return { headers: [...added, ['authorization', authorization]], canonicalRequest: canonical, stringToSign: text };
}
