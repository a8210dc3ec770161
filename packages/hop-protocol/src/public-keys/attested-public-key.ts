import { sign, verify } from 'node:crypto';
import type { FeedKey, PinnedKeys } from '@sigv4-keyd/revocation';
import {
  ECDSA_PUBLIC_KEY_BYTES,
  exportEcdsaPublicKey,
  importEcdsaPublicKey,
  type EcdsaPublicKey,
  type ScopeDate,
} from '@sigv4-keyd/sigv4-core';
import type { AccessKeyFacts } from '../key-source.js';

/**
 * A public key with the word of the master that it is this access key's, for a region and a day. Without it, a region
 * that was broken into could hand a key pair of its own making to its edges, and sign with that for everyone.
 */
export interface AttestedPublicKey {
  readonly publicKey: EcdsaPublicKey;
  /** Ed25519, by a revocation key of the feed, which every edge has pinned. */
  readonly attestation: Uint8Array;
}

/** Where and when a public key is given out, and all that is said of its access key. */
export interface AttestedTerms {
  readonly region: string;
  readonly date: ScopeDate;
  readonly facts: AccessKeyFacts;
}

const ATTESTATION_BYTES = 64;

export const ATTESTED_PUBLIC_KEY_BYTES = ECDSA_PUBLIC_KEY_BYTES + ATTESTATION_BYTES;

/** Throws TypeError for a key of another purpose: nobody would believe it. */
export function attestPublicKey(publicKey: EcdsaPublicKey, terms: AttestedTerms, key: FeedKey): AttestedPublicKey {
  if (key.purpose !== 'revocation') throw new TypeError('public keys are attested with a revocation key');
  return { publicKey, attestation: sign(null, attestedText(publicKey, terms), key.privateKey) };
}

/** Whether a master has said so. */
export function isAttested(
  { publicKey, attestation }: AttestedPublicKey,
  terms: AttestedTerms,
  pinned: PinnedKeys,
): boolean {
  const text = attestedText(publicKey, terms);
  // Few are pinned: one, and a second while keys are rotated.
  return [...pinned.values()].some(
    (key) => key.purpose === 'revocation' && verify(null, text, key.publicKey, attestation),
  );
}

/** 128 bytes: the public key, then the attestation. */
export function exportAttestedPublicKey({ publicKey, attestation }: AttestedPublicKey): Buffer {
  return Buffer.concat([exportEcdsaPublicKey(publicKey), attestation]);
}

/** Copies the bytes, and believes nothing. Throws RangeError unless they are a point of the curve and 64 bytes more. */
export function importAttestedPublicKey(bytes: Uint8Array): AttestedPublicKey {
  if (bytes.length !== ATTESTED_PUBLIC_KEY_BYTES) {
    throw new RangeError(`an attested public key has ${ATTESTED_PUBLIC_KEY_BYTES} bytes, ${bytes.length} were given`);
  }
  return {
    publicKey: importEcdsaPublicKey(bytes.subarray(0, ECDSA_PUBLIC_KEY_BYTES)),
    attestation: Uint8Array.from(bytes.subarray(ECDSA_PUBLIC_KEY_BYTES)),
  };
}

/**
 * One line for each part; none of them can hold a line feed, so no two things are written alike. The first line, which
 * has blanks in it, keeps it from being the signing input of a document of the feed.
 */
function attestedText(publicKey: EcdsaPublicKey, { region, date, facts }: AttestedTerms): Buffer {
  const { accessKeyId, version, createdAt, expiresAt, services } = facts;
  const lines = [
    'sigv4-keyd attested public key v1',
    region,
    date,
    accessKeyId,
    String(version),
    String(createdAt),
    expiresAt === undefined ? 'never' : String(expiresAt),
    services === undefined ? 'every service' : services.toSorted().join(','),
    exportEcdsaPublicKey(publicKey).toString('hex'),
  ];
  return Buffer.from(lines.join('\n'), 'utf8');
}
