import type { CredentialScope } from './credential-scope.js';
import { isAccessKeyId, isRegionName, isServiceName } from './credential-scope.js';
import { kDate, kRegion, kSecret, kService, kSigning } from './key-ladder.js';
import type { KSigning } from './key-ladder.js';
import { scopeDateOf } from './scope-date.js';

/** Who signs: with a secret, for any scope, or with the signing key of one scope. */
export type Credentials = {
  readonly accessKeyId: string;
  readonly sessionToken?: string;
} & ({ readonly secretAccessKey: string } | { readonly key: KSigning });

/** The scope of a signature made at `now` (epoch milliseconds). Throws RangeError for a name no verifier accepts. */
export function scopeForSigning(now: number, region: string, service: string): CredentialScope {
  if (!isRegionName(region)) throw new RangeError('region is no lower-case DNS label: give one such as eu-west-1');
  if (!isServiceName(service)) throw new RangeError('service is no lower-case DNS label: give one such as s3');
  return { date: scopeDateOf(now), region, service, terminator: 'aws4_request' };
}

/** The key that signs for the scope. */
export function signingKeyFor(credentials: Credentials, scope: CredentialScope): KSigning {
  if (!isAccessKeyId(credentials.accessKeyId)) {
    throw new RangeError('the access key id is malformed: give 3 to 128 letters, digits and underscores');
  }
  if ('key' in credentials) return credentials.key;
  const regional = kRegion(kDate(kSecret(credentials.secretAccessKey), scope.date), scope.region);
  return kSigning(kService(regional, scope.service), scope.terminator);
}
