import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { LedgerError } from '../ledger-error.js';

/** Verifies the Ed25519 signatures of one key. */
export interface NoteVerifier {
  readonly name: string;
  /** The first four bytes of SHA-256(name || 0x0A || 0x01 || public key), as a number. */
  readonly keyId: number;
  /** `NAME+HASH+BASE64`: what to hand to whoever is to verify. */
  readonly verifierKey: string;
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

/** Signs notes with one Ed25519 key. */
export interface NoteSigner {
  readonly name: string;
  readonly keyId: number;
  readonly verifierKey: string;
  sign(text: Uint8Array): Uint8Array;
}

// C2SP signed-note, "Signature types": Ed25519, the only one here. Witnesses' cosignatures are passed on unread.
const ED25519 = 0x01;
export const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SIGNER_PREFIX = 'PRIVATE+KEY+';
// RFC 8410: the fixed beginnings of the two encodings, which the 32 bytes of the key follow.
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

// Unicode's White_Space, not the language's \s, which has U+FEFF and lacks U+0085.
const KEY_NAME = /^[^\p{White_Space}\p{Cs}+]+$/u;

/** A name without spaces and plus signs, such as `keys.example/issuance`. */
export function isNoteKeyName(name: string): boolean {
  return KEY_NAME.test(name);
}

/** Reads a verifier key. Throws LedgerError `malformed-key` unless it is exactly one, its hash included. */
export function parseVerifierKey(text: string): NoteVerifier {
  const { name, keyId, key } = parseKey(text);
  if (key.length !== PUBLIC_KEY_BYTES) throw new LedgerError('malformed-key', 'length of the key');
  const verifier = verifierOf(name, createPublicKey({ key: derOf(SPKI_PREFIX, key), format: 'der', type: 'spki' }));
  if (verifier.keyId !== keyId) throw new LedgerError('malformed-key', 'hash of the key');
  return verifier;
}

/** Reads a signer key, which is a secret. Throws LedgerError `malformed-key`, whose message holds nothing of it. */
export function parseSignerKey(text: string): NoteSigner {
  if (!text.startsWith(SIGNER_PREFIX)) throw new LedgerError('malformed-key', 'no signer key');
  const { name, keyId, key } = parseKey(text.slice(SIGNER_PREFIX.length));
  const signer = noteSigner(name, key);
  if (signer.keyId !== keyId) throw new LedgerError('malformed-key', 'hash of the key');
  return signer;
}

/** A signer of the given name over an RFC 8032 private key: 32 random bytes, which the caller wipes when it can. */
export function noteSigner(name: string, seed: Uint8Array): NoteSigner {
  checkName(name);
  if (seed.length !== SEED_BYTES) throw new LedgerError('malformed-key', 'length of the key');
  const der = derOf(PKCS8_PREFIX, seed);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const { keyId, verifierKey } = verifierOf(name, createPublicKey(privateKey));
  return { name, keyId, verifierKey, sign: (text) => sign(null, text, privateKey) };
}

/** The secret text form of a signer key, `PRIVATE+KEY+NAME+HASH+BASE64`, for a file that only its owner can read. */
export function formatSignerKey(name: string, seed: Uint8Array): string {
  return SIGNER_PREFIX + formatKey(name, noteSigner(name, seed).keyId, seed);
}

export function formatKeyId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}

function verifierOf(name: string, publicKey: KeyObject): NoteVerifier {
  checkName(name);
  const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
  const keyId = createHash('sha256')
    .update(`${name}\n`)
    .update(Uint8Array.of(ED25519))
    .update(key)
    .digest()
    .readUInt32BE(0);
  return {
    name,
    keyId,
    verifierKey: formatKey(name, keyId, key),
    verify: (text, signature) => verify(null, text, publicKey, signature),
  };
}

function parseKey(text: string): { name: string; keyId: number; key: Buffer } {
  const parts = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text);
  const [, name, hash, base64] = parts ?? [];
  if (name === undefined || hash === undefined || base64 === undefined || !isNoteKeyName(name)) {
    throw new LedgerError('malformed-key', 'form');
  }
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw new LedgerError('malformed-key', 'base64');
  if (bytes[0] !== ED25519) throw new LedgerError('malformed-key', 'not an Ed25519 key');
  return { name, keyId: Number.parseInt(hash, 16), key: bytes.subarray(1) };
}

function formatKey(name: string, keyId: number, key: Uint8Array): string {
  return `${name}+${formatKeyId(keyId)}+${Buffer.concat([Uint8Array.of(ED25519), key]).toString('base64')}`;
}

function derOf(prefix: Buffer, key: Uint8Array): Buffer {
  return Buffer.concat([prefix, key]);
}

function checkName(name: string): void {
  if (!isNoteKeyName(name)) throw new LedgerError('malformed-key', 'name of the key');
}
