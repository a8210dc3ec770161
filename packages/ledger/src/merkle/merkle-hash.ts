import { createHash } from 'node:crypto';
import { LedgerError } from '../ledger-error.js';

declare const merkleHash: unique symbol;

/** A SHA-256 hash of a leaf, a node or a whole tree: 32 bytes. Whoever holds one never changes its bytes. */
export type MerkleHash = Uint8Array & { readonly [merkleHash]: true };

export const HASH_BYTES = 32;

// RFC 6962, section 2.1: leaves and nodes are hashed under different prefixes, so that neither can pose as the other.
const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

export function isMerkleHash(bytes: Uint8Array): bytes is MerkleHash {
  return bytes.length === HASH_BYTES;
}

/** The bytes as a hash. Throws LedgerError `malformed-hash` when they are not 32. */
export function merkleHashOf(bytes: Uint8Array): MerkleHash {
  if (!isMerkleHash(bytes)) throw new LedgerError('malformed-hash', `${bytes.length} bytes`);
  return bytes;
}

/** SHA-256(0x00 || leaf) */
export function leafHash(leaf: Uint8Array): MerkleHash {
  return merkleHashOf(createHash('sha256').update(LEAF_PREFIX).update(leaf).digest());
}

/** SHA-256(0x01 || left || right) */
export function nodeHash(left: MerkleHash, right: MerkleHash): MerkleHash {
  return merkleHashOf(createHash('sha256').update(NODE_PREFIX).update(left).update(right).digest());
}

/** The root of a tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): MerkleHash {
  return merkleHashOf(createHash('sha256').digest());
}

/** Roots and proofs are public, so that the time of the comparison tells nothing. */
export function sameHash(one: MerkleHash, other: MerkleHash): boolean {
  return Buffer.compare(one, other) === 0;
}

/** Standard base64 with padding: the form that checkpoints carry. */
export function formatMerkleHash(hash: MerkleHash): string {
  return Buffer.from(hash).toString('base64');
}

/** Reads the base64 of 32 bytes in its one canonical spelling, or returns undefined. */
export function parseMerkleHash(text: string): MerkleHash | undefined {
  const bytes = Buffer.from(text, 'base64');
  return isMerkleHash(bytes) && bytes.toString('base64') === text ? bytes : undefined;
}
