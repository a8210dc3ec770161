import {
  ecdsaPrivateKey,
  ecdsaPublicKey,
  isAccessKeyId,
  isRegionName,
  isServiceName,
  kDate,
  kRegion,
  kSecret,
  kService,
  kSigning,
  type Algorithm,
  type CredentialScope,
  type EcdsaPublicKey,
  type KeyFinding,
  type KSecret,
  type KSigning,
  type ScopeDate,
  type SignatureKeySource,
} from '@sigv4-keyd/sigv4-core';

/** As many days as a presigned URL may live, with those that clocks may be off by. */
const DAYS_HELD = 9;

/** What is derived of a secret. */
interface Derivable {
  readonly secret: KSecret;
  /** For AWS4-ECDSA-P256-SHA256; it is the same for all days, regions and services. */
  readonly publicKey: () => EcdsaPublicKey;
}

/**
 * Keys derived from secrets that are held in this process: for a small site, whose break-in costs them all.
 * Throws TypeError for an access key id, secret or name that no client could sign with.
 */
export function staticSecrets(
  secrets: Readonly<Record<string, string>>,
  { region, service }: { readonly region: string; readonly service: string },
): SignatureKeySource {
  if (!isRegionName(region)) throw new TypeError('region is no lower-case DNS label: give one such as eu-west-1');
  if (!isServiceName(service)) throw new TypeError('service is no lower-case DNS label: give one such as s3');
  const held = new Map<string, Derivable>();
  for (const [accessKeyId, secret] of Object.entries(secrets)) {
    if (!isAccessKeyId(accessKeyId)) throw new TypeError('an access key id has 3 to 128 letters, digits, underscores');
    // A setting that is missing arrives here as undefined, whatever the types say.
    if (typeof secret !== 'string' || secret === '') throw new TypeError(`the secret of ${accessKeyId} is missing`);
    let known: EcdsaPublicKey | undefined;
    const publicKey = (): EcdsaPublicKey => (known ??= ecdsaPublicKey(ecdsaPrivateKey(secret, accessKeyId)));
    held.set(accessKeyId, { secret: kSecret(secret), publicKey });
  }
  return new StaticSecrets(held, region, service);
}

class StaticSecrets implements SignatureKeySource {
  readonly region: string;
  readonly service: string;
  readonly #secrets: ReadonlyMap<string, Derivable>;
  // A key an access key and day: bounded by both, since only dates that are accepted get here.
  readonly #ofDay = new Map<ScopeDate, Map<string, KSigning>>();

  constructor(secrets: ReadonlyMap<string, Derivable>, region: string, service: string) {
    this.#secrets = secrets;
    this.region = region;
    this.service = service;
  }

  find(accessKeyId: string, { date }: CredentialScope, algorithm: Algorithm): KeyFinding {
    const derivable = this.#secrets.get(accessKeyId);
    if (derivable === undefined) return { found: false, reason: 'access-key-unknown' };
    switch (algorithm) {
      case 'AWS4-HMAC-SHA256':
        return { found: true, key: this.#kSigningOf(accessKeyId, derivable.secret, date) };
      case 'AWS4-ECDSA-P256-SHA256':
        return { found: true, key: derivable.publicKey() };
    }
  }

  #kSigningOf(accessKeyId: string, secret: KSecret, date: ScopeDate): KSigning {
    const ofDay = this.#keysOf(date);
    const key = ofDay.get(accessKeyId) ?? kSigning(kService(kRegion(kDate(secret, date), this.region), this.service));
    ofDay.set(accessKeyId, key);
    return key;
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
