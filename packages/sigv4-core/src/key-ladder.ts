import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { hmacOnce } from './hmac-once.js';
import { HmacPads, LONGEST_PADDED_MESSAGE } from './hmac-pads.js';
import { OpaqueKey } from './opaque-key.js';
import type { ScopeDate } from './scope-date.js';
import { prefixedSecret, requireSecret, type SecretAccessKey } from './secret-access-key.js';

/** The first letters of kSecret; names the version of the protocol. */
export type ProtocolVersion = 'AWS4';

/** The last message of the ladder; names what the signing key is for. */
export type Purpose = 'aws4_request';

/** The rungs of the ladder, from the secret down to the key that signs. */
export type Rung = 'kSecret' | 'kDate' | 'kRegion' | 'kService' | 'kSigning';

const KEY_BYTES = 32;

/**
 * A key on one rung. The bytes sit in a KeyObject in a private field: no print, JSON, spread or clone of the key
 * reaches them, and the private field makes the class nominal, so that only this file can put a key on a rung.
 */
class LadderKey<R extends Rung> extends OpaqueKey<R> {
  readonly #key: KeyObject;
  /** Of the rung that is used again and again, from its first use on. */
  #pads: HmacPads | undefined;

  private constructor(rung: R, key: KeyObject) {
    super(rung);
    this.#key = key;
  }

  /** Copies the bytes; the caller may overwrite its own afterwards. */
  static of<R extends Rung>(rung: R, bytes: Uint8Array): LadderKey<R> {
    return new LadderKey(rung, createSecretKey(bytes));
  }

  /** The next rung. The bytes are nowhere but in its key. */
  static next<R extends Rung>(rung: R, key: LadderKey<Rung>, message: string): LadderKey<R> {
    const bytes = LadderKey.mac(key, message);
    try {
      return LadderKey.of(rung, bytes);
    } finally {
      bytes.fill(0);
    }
  }

  static mac(key: LadderKey<Rung>, message: string): Buffer {
    return createHmac('sha256', key.#key).update(message, 'utf8').digest();
  }

  /** The same in lower-case hex, and faster from the second time on. */
  static macHex(key: LadderKey<'kSigning'>, message: string): string {
    if (message.length > LONGEST_PADDED_MESSAGE) return LadderKey.mac(key, message).toString('hex');
    key.#pads ??= LadderKey.#padsOf(key);
    return key.#pads.hexOf(message);
  }

  static #padsOf(key: LadderKey<'kSigning'>): HmacPads {
    const bytes = LadderKey.bytesOf(key);
    try {
      return new HmacPads(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  static bytesOf(key: LadderKey<Exclude<Rung, 'kSecret'>>): Buffer {
    return key.#key.export();
  }
}

/** The protocol version followed by the secret access key. */
export type KSecret = LadderKey<'kSecret'>;
/** Can make the keys of every region for one day. */
export type KDate = LadderKey<'kDate'>;
/** Can make the keys of every service of one region for one day. */
export type KRegion = LadderKey<'kRegion'>;
/** Can make the signing key of one service in one region for one day. */
export type KService = LadderKey<'kService'>;
/** Signs and verifies requests of one credential scope. */
export type KSigning = LadderKey<'kSigning'>;

/** Throws RangeError for an empty secret: anyone could derive its keys. */
export function kSecret(secretAccessKey: SecretAccessKey, version: ProtocolVersion = 'AWS4'): KSecret {
  const bytes = prefixedSecret(version, secretAccessKey);
  try {
    return LadderKey.of('kSecret', bytes);
  } finally {
    bytes.fill(0);
  }
}

export function kDate(key: KSecret, date: ScopeDate): KDate {
  return LadderKey.next('kDate', key, date);
}

export function kRegion(key: KDate, region: string): KRegion {
  return LadderKey.next('kRegion', key, region);
}

export function kService(key: KRegion, service: string): KService {
  return LadderKey.next('kService', key, service);
}

export function kSigning(key: KService, purpose: Purpose = 'aws4_request'): KSigning {
  return LadderKey.next('kSigning', key, purpose);
}

// What travels between tiers has an export. kSecret has none: whoever had it could make the keys of every day.

/**
 * The 32 bytes of the key, for a deputy, and from a signer to its master: whoever has them can make the keys of every
 * region for the day. The caller owns the copy and wipes it.
 */
export function exportKDate(key: KDate): Buffer {
  return LadderKey.bytesOf(key);
}

/** The 32 bytes of the key, for the tier below. The caller owns the copy and wipes it. */
export function exportKRegion(key: KRegion): Buffer {
  return LadderKey.bytesOf(key);
}

/** The 32 bytes of the key, for the tier below. The caller owns the copy and wipes it. */
export function exportKService(key: KService): Buffer {
  return LadderKey.bytesOf(key);
}

/** The 32 bytes of the key. The caller owns the copy and wipes it. */
export function exportKSigning(key: KSigning): Buffer {
  return LadderKey.bytesOf(key);
}

// Where whole days go down, a key is made to travel and nothing else: these spare it every object, and leave none of
// the rungs between behind. They do for many keys what the steps above do for one.

/** The bytes of `kRegion`. The caller wipes them. */
export function kRegionBytes(key: KDate, region: string): Buffer {
  return LadderKey.mac(key, region);
}

/**
 * The same from the bytes of a secret access key, two rungs above. The caller wipes both. Throws RangeError for an
 * empty one.
 */
export function kRegionBytesOfSecret(
  secretAccessKey: Uint8Array,
  date: ScopeDate,
  region: string,
  version: ProtocolVersion = 'AWS4',
): Buffer {
  requireSecret(secretAccessKey);
  const dateKey = hmacOnce(secretAccessKey, date, version);
  const regionKey = hmacOnce(dateKey, region);
  dateKey.fill(0);
  return regionKey;
}

/** The bytes of `kService`, from those of kRegion. The caller wipes both. Throws RangeError unless given 32 bytes. */
export function kServiceBytes(key: Uint8Array, service: string): Buffer {
  requireKeyBytes('kRegion', key);
  return hmacOnce(key, service);
}

/** The bytes of `kSigning`, two rungs below those of kRegion. The caller wipes both. Throws RangeError likewise. */
export function kSigningBytes(key: Uint8Array, service: string, purpose: Purpose = 'aws4_request'): Buffer {
  const serviceKey = kServiceBytes(key, service);
  const signingKey = hmacOnce(serviceKey, purpose);
  serviceKey.fill(0);
  return signingKey;
}

/**
 * For a kDate that an HSM computed, where kSecret never leaves the device, and for one that a deputy was given. Copies
 * the bytes. Throws RangeError unless they are 32.
 */
export function importKDate(bytes: Uint8Array): KDate {
  return imported('kDate', bytes);
}

/** Copies the bytes. Throws RangeError unless they are 32. */
export function importKRegion(bytes: Uint8Array): KRegion {
  return imported('kRegion', bytes);
}

/** Copies the bytes. Throws RangeError unless they are 32. */
export function importKService(bytes: Uint8Array): KService {
  return imported('kService', bytes);
}

/** Copies the bytes. Throws RangeError unless they are 32. */
export function importKSigning(bytes: Uint8Array): KSigning {
  return imported('kSigning', bytes);
}

/** HMAC-SHA256 of a message under the signing key: the only use of this rung. Lower-case hex. */
export function macHexWithKSigning(key: KSigning, message: string): string {
  return LadderKey.macHex(key, message);
}

/** The same by an Hmac object, for the reference: 32 bytes. */
export function macWithKSigning(key: KSigning, message: string): Buffer {
  return LadderKey.mac(key, message);
}

function imported<R extends Rung>(rung: R, bytes: Uint8Array): LadderKey<R> {
  requireKeyBytes(rung, bytes);
  return LadderKey.of(rung, bytes);
}

function requireKeyBytes(rung: Rung, bytes: Uint8Array): void {
  if (bytes.length === KEY_BYTES) return;
  throw new RangeError(`${rung} has ${KEY_BYTES} bytes, ${bytes.length} were given: check how the key was transported`);
}
