import type { EcdsaPublicKey, KDate, ScopeDate } from '@sigv4-keyd/sigv4-core';

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

/** The bytes of kRegion, straight from a sealed secret. */
export type KRegionBytesOf = (secret: SealedSecret, date: ScopeDate, region: string) => Buffer;

/**
 * Keeps the secrets. kDate is the highest rung that it gives out, so that an HSM can compute it without the secret
 * leaving the device; of the key pair of AWS4-ECDSA-P256-SHA256 it gives out the public half. Rejects with KeydError
 * 'custody-unavailable' while it cannot serve at all.
 */
export interface Custody {
  /** Takes a secret in; the answer is what the database stores. */
  seal(name: SecretName, secretAccessKey: string): Buffer | Promise<Buffer>;
  /** Throws SealBroken when this one secret does not open. */
  kDate(secret: SealedSecret, date: ScopeDate): KDate | Promise<KDate>;
  /**
   * Where the keeper has the secrets in its hands: the bytes of kRegion at once, with no object for any rung, for days
   * that go down whole. The caller wipes them. Throws SealBroken likewise.
   */
  readonly kRegionBytes?: KRegionBytesOf;
  /**
   * Throws SealBroken likewise, and KeydError 'algorithm-not-supported' where the private half could not be derived
   * without the secret leaving a device.
   */
  ecdsaPublicKey(secret: SealedSecret): EcdsaPublicKey | Promise<EcdsaPublicKey>;
}

/** The key of every keeper can be changed: it seals anew what is sealed with another of its keys. */
export interface Resealing {
  /** The id of the key that it seals with. */
  readonly sealsWith: string;
  /** The ids of all the keys that it can open seals of. */
  readonly reads: readonly string[];
  /** What each value that is sealed with the present key begins with, and no other one. */
  readonly prefix: Buffer;
  /** What the values begin with that it may be able to open: one that begins otherwise, it cannot. */
  readonly readablePrefixes: readonly Buffer[];
  /** Throws SealBroken when this one secret does not open. */
  reseal(secret: SealedSecret): Buffer | Promise<Buffer>;
}

/** A sealed secret that was tampered with, moved from another access key, or sealed with another key. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}
