import type { KDate, ScopeDate } from '@sigv4-keyd/sigv4-core';

/** What a secret is bound to: it opens for this access key and this version of its secret only. */
export interface SecretName {
  readonly accessKeyId: string;
  /** 1 for the first secret of an access key. */
  readonly version: number;
}

/** A secret as it rests in the database. */
export interface SealedSecret extends SecretName {
  readonly sealed: Buffer;
}

/**
 * Keeps the secrets. kDate is the highest rung that it gives out, so that an HSM can compute it without the secret
 * leaving the device. Rejects with KeydError 'custody-unavailable' while it cannot serve at all.
 */
export interface Custody {
  /** Takes a secret in; the answer is what the database stores. */
  seal(name: SecretName, secretAccessKey: string): Buffer | Promise<Buffer>;
  /** Throws SealBroken when this one secret does not open. */
  kDate(secret: SealedSecret, date: ScopeDate): KDate | Promise<KDate>;
}

/** A sealed secret that was tampered with, moved from another access key, or sealed with another key. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}
