import type { Algorithm } from './algorithm.js';
import { formatAmzDate } from './amz-date.js';
import { formatCredentialScope, formatMultiRegionScope } from './credential-scope.js';
import { multiRegionScopeForSigning, privateKeyFor, scopeForSigning, signingKeyFor } from './credentials.js';
import type { Credentials, MultiRegionCredentials } from './credentials.js';
import { ecdsaSignatureOf } from './ecdsa-signature.js';
import { isRefused } from './refusal.js';
import { parseRegionSet } from './region-set.js';
import { signatureOf } from './signature.js';

/** All that the algorithms do differently when they sign. */
export interface Signer {
  readonly algorithm: Algorithm;
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly amzDate: string;
  /** The credential scope as it is signed. */
  readonly scope: string;
  /** As it is sent; ECDSA only. */
  readonly regionSet: string | undefined;
  readonly sign: (stringToSign: string) => string;
}

interface Occasion {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly service: string;
}

/** Signs for one region. Throws RangeError for a name that no verifier accepts. */
export function hmacSigner(
  credentials: Credentials,
  { now, region, service }: Occasion & { readonly region: string },
): Signer {
  const scope = scopeForSigning(now, region, service);
  const key = signingKeyFor(credentials, scope);
  return {
    algorithm: 'AWS4-HMAC-SHA256',
    accessKeyId: credentials.accessKeyId,
    sessionToken: credentials.sessionToken,
    amzDate: formatAmzDate(now),
    scope: formatCredentialScope(scope),
    regionSet: undefined,
    sign: (text) => signatureOf(key, text),
  };
}

/** Signs for a set of regions. Throws RangeError for a name that no verifier accepts. */
export function ecdsaSigner(
  credentials: MultiRegionCredentials,
  { now, regionSet, service }: Occasion & { readonly regionSet: readonly string[] },
): Signer {
  const regions = regionSet.join(',');
  if (isRefused(parseRegionSet(regions))) {
    throw new RangeError('the region set is malformed: give regions such as eu-west-1, eu-* or *');
  }
  const key = privateKeyFor(credentials);
  return {
    algorithm: 'AWS4-ECDSA-P256-SHA256',
    accessKeyId: credentials.accessKeyId,
    sessionToken: credentials.sessionToken,
    amzDate: formatAmzDate(now),
    scope: formatMultiRegionScope(multiRegionScopeForSigning(now, service)),
    regionSet: regions,
    sign: (text) => ecdsaSignatureOf(key, text),
  };
}
