import type { CredentialScope, MultiRegionScope } from './credential-scope.js';
import { isAccessKeyId, isRegionName, isServiceName } from './credential-scope.js';
import { ecdsaPrivateKey } from './ecdsa-key-pair.js';
import type { EcdsaPrivateKey } from './ecdsa-key-pair.js';
import { kDate, kRegion, kSecret, kService, kSigning } from './key-ladder.js';
import type { KSigning } from './key-ladder.js';
import { scopeDateOf } from './scope-date.js';

/** Who signs: with a secret, for any scope, or with the signing key of one scope. */
export type Credentials = Signatory & (WithSecret | { readonly key: KSigning });

/** Who signs for several regions: with a secret, or with the private key that was derived of it. */
export type MultiRegionCredentials = Signatory & (WithSecret | { readonly key: EcdsaPrivateKey });

interface Signatory {
  readonly accessKeyId: string;
  readonly sessionToken?: string;
}

interface WithSecret {
  readonly secretAccessKey: string;
}

/** The scope of a signature made at `now` (epoch milliseconds). Throws RangeError for a name no verifier accepts. */
export function scopeForSigning(now: number, region: string, service: string): CredentialScope {
  if (!isRegionName(region)) throw new RangeError('region is no lower-case DNS label: give one such as eu-west-1');
  const { date, terminator } = multiRegionScopeForSigning(now, service);
  return { date, region, service, terminator };
}

/** The same for signatures that name their regions elsewhere. */
export function multiRegionScopeForSigning(now: number, service: string): MultiRegionScope {
  if (!isServiceName(service)) throw new RangeError('service is no lower-case DNS label: give one such as s3');
  return { date: scopeDateOf(now), service, terminator: 'aws4_request' };
}

/** The key that signs for the scope. */
export function signingKeyFor(credentials: Credentials, scope: CredentialScope): KSigning {
  requireAccessKeyId(credentials);
  if ('key' in credentials) return credentials.key;
  const regional = kRegion(kDate(kSecret(credentials.secretAccessKey), scope.date), scope.region);
  return kSigning(kService(regional, scope.service), scope.terminator);
}

/** The private key that signs for any region. */
export function privateKeyFor(credentials: MultiRegionCredentials): EcdsaPrivateKey {
  requireAccessKeyId(credentials);
  if ('key' in credentials) return credentials.key;
  return ecdsaPrivateKey(credentials.secretAccessKey, credentials.accessKeyId);
}

function requireAccessKeyId({ accessKeyId }: Signatory): void {
  if (isAccessKeyId(accessKeyId)) return;
  throw new RangeError('the access key id is malformed: give 3 to 128 letters, digits and underscores');
}
