import {
  kDate,
  kRegion,
  kSecret,
  kService,
  kSigning,
  type Credentials,
  type KSigning,
  type ScopeDate,
} from '@sigv4-keyd/sigv4-core';

/** Credentials with the signing key of one scope in place of the secret: the ladder is climbed down once a day. */
export class SigningKeys {
  readonly #region: string;
  readonly #service: string;
  // By the credentials themselves: a key is forgotten with the secret that it came from.
  readonly #ofDay = new WeakMap<Credentials, { readonly date: ScopeDate; readonly key: KSigning }>();

  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
  }

  for(credentials: Credentials, date: ScopeDate): Credentials {
    if ('key' in credentials) return credentials;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const held = this.#ofDay.get(credentials);
    const key = held?.date === date ? held.key : this.#derive(secretAccessKey, date);
    if (held?.date !== date) this.#ofDay.set(credentials, { date, key });
    return sessionToken === undefined ? { accessKeyId, key } : { accessKeyId, key, sessionToken };
  }

  #derive(secretAccessKey: string, date: ScopeDate): KSigning {
    return kSigning(kService(kRegion(kDate(kSecret(secretAccessKey), date), this.#region), this.#service));
  }
}
