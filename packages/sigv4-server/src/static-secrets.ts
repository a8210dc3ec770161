import {
  isAccessKeyId,
  isRegionName,
  isServiceName,
  kDate,
  kRegion,
  kSecret,
  kService,
  kSigning,
  type CredentialScope,
  type KSecret,
  type KSigning,
  type ScopeDate,
} from '@sigv4-keyd/sigv4-core';
import type { SigningKeyFinding, SigningKeySource } from './signing-key-source.js';

/** As many days as a presigned URL may live, with those that clocks may be off by. */
const DAYS_HELD = 9;

/**
 * Signing keys derived from secrets that are held in this process: for a small site, whose break-in costs them all.
 * Throws TypeError for an access key id, secret or name that no client could sign with.
 */
export function staticSecrets(
  secrets: Readonly<Record<string, string>>,
  { region, service }: { readonly region: string; readonly service: string },
): SigningKeySource {
  if (!isRegionName(region)) throw new TypeError('region is no lower-case DNS label: give one such as eu-west-1');
  if (!isServiceName(service)) throw new TypeError('service is no lower-case DNS label: give one such as s3');
  const held = new Map<string, KSecret>();
  for (const [accessKeyId, secret] of Object.entries(secrets)) {
    if (!isAccessKeyId(accessKeyId)) throw new TypeError('an access key id has 3 to 128 letters, digits, underscores');
    // A setting that is missing arrives here as undefined, whatever the types say.
    if (typeof secret !== 'string' || secret === '') throw new TypeError(`the secret of ${accessKeyId} is missing`);
    held.set(accessKeyId, kSecret(secret));
  }
  return new StaticSecrets(held, region, service);
}

class StaticSecrets implements SigningKeySource {
  readonly region: string;
  readonly service: string;
  readonly #secrets: ReadonlyMap<string, KSecret>;
  // A key an access key and day: bounded by both, since only dates that are accepted get here.
  readonly #ofDay = new Map<ScopeDate, Map<string, KSigning>>();

  constructor(secrets: ReadonlyMap<string, KSecret>, region: string, service: string) {
    this.#secrets = secrets;
    this.region = region;
    this.service = service;
  }

  find(accessKeyId: string, { date }: CredentialScope): SigningKeyFinding {
    const secret = this.#secrets.get(accessKeyId);
    if (secret === undefined) return { found: false, reason: 'access-key-unknown' };
    const ofDay = this.#keysOf(date);
    const key = ofDay.get(accessKeyId) ?? kSigning(kService(kRegion(kDate(secret, date), this.region), this.service));
    ofDay.set(accessKeyId, key);
    return { found: true, key };
  }

  #keysOf(date: ScopeDate): Map<string, KSigning> {
    const known = this.#ofDay.get(date);
    if (known) return known;
    const [oldest] = [...this.#ofDay.keys()].sort();
    if (oldest !== undefined && this.#ofDay.size >= DAYS_HELD) this.#ofDay.delete(oldest);
    const fresh = new Map<string, KSigning>();
    this.#ofDay.set(date, fresh);
    return fresh;
  }
}
