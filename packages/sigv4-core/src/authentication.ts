import type { Algorithm } from './algorithm.js';
import type { Mechanism } from './canonical-query.js';
import { parseCredential, parseMultiRegionCredential } from './credential-scope.js';
import type { MultiRegionScope } from './credential-scope.js';
import { isEcdsaSignature } from './ecdsa-signature.js';
import { isRefused, refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { isSignature } from './signature.js';
import { parseSignedHeaders } from './signed-headers.js';

/** What a request says of its own signature, in the header or in the query alike. */
export interface Authentication {
  readonly mechanism: Mechanism;
  readonly algorithm: Algorithm;
  readonly accessKeyId: string;
  /** As presented: with a region for HMAC, without one for ECDSA. */
  readonly scope: MultiRegionScope & { readonly region?: string };
  readonly signedHeaders: readonly string[];
  /** As presented, lower-case hex: 64 digits, or DER. */
  readonly signature: string;
}

/** The three parts as they stood in the header or the query, decoded; undefined when absent. */
export interface AuthenticationParts {
  readonly Credential: string | undefined;
  readonly SignedHeaders: string | undefined;
  readonly Signature: string | undefined;
}

/** How the algorithms write the parts that they write differently. */
const FORMS = {
  'AWS4-HMAC-SHA256': { parseCredential, isSignature },
  'AWS4-ECDSA-P256-SHA256': { parseCredential: parseMultiRegionCredential, isSignature: isEcdsaSignature },
} as const satisfies Record<Algorithm, object>;

/** Reads the parts, whichever mechanism brought them. */
export function readParts(
  mechanism: Mechanism,
  algorithm: Algorithm,
  parts: AuthenticationParts,
): Authentication | Refused {
  const { Credential, SignedHeaders, Signature } = parts;
  if (Credential === undefined) return refuse('malformed-authorization', 'Credential is missing');
  if (SignedHeaders === undefined) return refuse('malformed-authorization', 'SignedHeaders is missing');
  if (Signature === undefined) return refuse('malformed-authorization', 'Signature is missing');
  const form = FORMS[algorithm];
  const credential = form.parseCredential(Credential);
  if (isRefused(credential)) return credential;
  const signedHeaders = parseSignedHeaders(SignedHeaders);
  if (isRefused(signedHeaders)) return signedHeaders;
  if (!form.isSignature(Signature)) return refuse('malformed-signature');
  return { mechanism, algorithm, ...credential, signedHeaders, signature: Signature };
}
