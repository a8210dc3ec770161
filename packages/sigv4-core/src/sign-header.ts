import { formatAmzDate } from './amz-date.js';
import { canonicalHeaderValue } from './canonical-headers.js';
import { canonicalRequest } from './canonical-request.js';
import { formatCredentialScope } from './credential-scope.js';
import { scopeForSigning, signingKeyFor } from './credentials.js';
import type { Credentials } from './credentials.js';
import type { PathRule } from './path-rule.js';
import { pathRuleOf } from './path-rule.js';
import { statedPayload, payloadLine } from './signing-payload.js';
import type { SigningPayload } from './signing-payload.js';
import { signableHeaders } from './signable-headers.js';
import { signatureOf } from './signature.js';
import { ALGORITHM, stringToSign } from './string-to-sign.js';
import { latin1, readUnsigned } from './unsigned-request.js';
import type { UnsignedRequest } from './unsigned-request.js';

/** How to sign in the Authorization header. */
export interface HeaderSigning {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly region: string;
  readonly service: string;
  readonly payload: SigningPayload;
  /** By default the rule of the service. */
  readonly pathRule?: PathRule;
}

/** The headers to add, in order. */
export interface HeaderSigned {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

/** Signs in the Authorization header. Throws TypeError or RangeError for what no verifier would accept. */
export function signRequest(request: UnsignedRequest, credentials: Credentials, signing: HeaderSigning): HeaderSigned {
  const { method, target, query, headers } = readUnsigned(request);
  const scope = scopeForSigning(signing.now, signing.region, signing.service);
  const key = signingKeyFor(credentials, scope);
  const amzDate = formatAmzDate(signing.now);
  const stated = statedPayload(signing.payload);
  const added: (readonly [string, string])[] = [
    ...(credentials.sessionToken === undefined ? [] : [['x-amz-security-token', credentials.sessionToken] as const]),
    ['x-amz-date', amzDate],
    ...(stated === undefined ? [] : [['x-amz-content-sha256', stated] as const]),
  ];
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
  const text = stringToSign(amzDate, scope, canonical);
  const authorization =
    `${ALGORITHM} Credential=${credentials.accessKeyId}/${formatCredentialScope(scope)}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signatureOf(key, text)}`;
  return { headers: [...added, ['authorization', authorization]], canonicalRequest: canonical, stringToSign: text };
}
