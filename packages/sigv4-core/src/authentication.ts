import type { Mechanism } from './canonical-query.js';
import { parseCredential } from './credential-scope.js';
import type { CredentialScope } from './credential-scope.js';
import { isRefused, refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { isSignature } from './signature.js';
import { parseSignedHeaders } from './signed-headers.js';

/** What a request says of its own signature, in the header or in the query alike. */
export interface Authentication {
  readonly mechanism: Mechanism;
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  /** As presented: 64 lower-case hex digits. */
  readonly signature: string;
}

/** The three parts as they stood in the header or the query, decoded; undefined when absent. */
export interface AuthenticationParts {
  readonly Credential: string | undefined;
  readonly SignedHeaders: string | undefined;
  readonly Signature: string | undefined;
}

/** Reads the parts, whichever mechanism brought them. */
export function readParts(mechanism: Mechanism, parts: AuthenticationParts): Authentication | Refused {
  const { Credential, SignedHeaders, Signature } = parts;
  if (Credential === undefined) return refuse('malformed-authorization', 'Credential is missing');
  if (SignedHeaders === undefined) return refuse('malformed-authorization', 'SignedHeaders is missing');
  if (Signature === undefined) return refuse('malformed-authorization', 'Signature is missing');
  const credential = parseCredential(Credential);
  if (isRefused(credential)) return credential;
  const signedHeaders = parseSignedHeaders(SignedHeaders);
  if (isRefused(signedHeaders)) return signedHeaders;
  if (!isSignature(Signature)) return refuse('malformed-signature');
  return { mechanism, ...credential, signedHeaders, signature: Signature };
}
