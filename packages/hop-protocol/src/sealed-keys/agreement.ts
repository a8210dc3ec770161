import {
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { KeydError } from '../errors.js';

// The keys of an answer are sealed to who asked, inside TLS: X25519 between two keys that are made for this one answer,
// HKDF-SHA256 (RFC 5869) over both public keys and the path, AES-256-GCM (page-seal.ts). TLS proves who both ends are;
// this keeps keys out of all that TLS and HTTP leave behind: their buffers are never overwritten, ours are.

const KEY_BYTES = 32;

/** X25519 public keys, base64url without padding. */
const PUBLIC_KEY = /^[A-Za-z0-9_-]{43}$/;

/** One end's half of an agreement: X25519, made for this one answer. */
export interface OwnHalf {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const newHalf = (): OwnHalf => generateKeyPairSync('x25519');

/** Who asks for keys: good for one question, however many peers it is put to. */
export class Recipient {
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  constructor({ publicKey, privateKey } = newHalf()) {
    this.publicKey = textOf(publicKey);
    this.#privateKey = privateKey;
  }

  /** What the answer's sender sealed it with. Undefined for what is no public key. */
  keyFrom(sender: string, path: string): KeyObject | undefined {
    const other = publicKeyOf(sender);
    if (other === undefined) return undefined;
    return agreed({ own: this.#privateKey, other, recipient: this.publicKey, sender, path });
  }
}

/** What seals one answer. */
export interface Sealing {
  /** The public key that the answer names. */
  readonly sender: string;
  readonly key: KeyObject;
}

/** For one answer to `recipient`. Throws KeydError 'malformed-request' for what is no public key. */
export function sealTo(recipient: string, path: string, { publicKey, privateKey } = newHalf()): Sealing {
  const other = publicKeyOf(recipient);
  if (other === undefined) {
    throw new KeydError('malformed-request', { detail: 'accept: keys are to be sealed to what is no X25519 key' });
  }
  const sender = textOf(publicKey);
  return { sender, key: agreed({ own: privateKey, other, recipient, sender, path }) };
}

interface Agreement {
  readonly own: KeyObject;
  readonly other: KeyObject;
  readonly recipient: string;
  readonly sender: string;
  readonly path: string;
}

function agreed({ own, other, recipient, sender, path }: Agreement): KeyObject {
  const secret = diffieHellman({ privateKey: own, publicKey: other });
  const salt = Buffer.from(recipient + sender, 'latin1');
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, `sigv4-keyd sealed keys v1\n${path}`, KEY_BYTES));
  secret.fill(0);
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

function textOf(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x ?? '';
}

function publicKeyOf(text: string): KeyObject | undefined {
  if (!PUBLIC_KEY.test(text)) return undefined;
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'X25519', x: text } });
}
