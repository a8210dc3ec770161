import type { AccessKeyFacts } from '@sigv4-keyd/hop-protocol';
import type { RecordForm } from './record-blocks.js';

/** A key of a day, and what is known of its access key. */
export interface KeyRecord {
  readonly facts: AccessKeyFacts;
  /** Whoever made the bytes overwrites them. */
  readonly key: Uint8Array;
  /** Whether an operator pinned the access key, so that it makes room for no other. */
  readonly isPinned: boolean;
}

const VERSION_BYTES = 4;
const INSTANT_BYTES = 8;
const EXPIRES = 1;
const RESTRICTED = 2;
const PINNED = 4;

/**
 * `keyBytes`: how long the keys are, which is one length a hop.
 *
 *     id length (1) | id | flags (1) | version (4) | createdAt (8) | [expiresAt (8)] | [services] | key (keyBytes)
 *     services = count (2), then for each: length (1) | name
 */
export function keyRecordForm(keyBytes: number): RecordForm<KeyRecord> {
  return {
    bytesOf: ({ facts }) => bytesOfFacts(facts) + keyBytes,
    write(record, into, at) {
      if (record.key.length !== keyBytes) throw new RangeError(`a key has ${keyBytes} bytes, not ${record.key.length}`);
      const end = writeFacts(record, into, at);
      into.set(record.key, end);
      return end + keyBytes;
    },
    read(from, at) {
      const { facts, isPinned, end } = readFacts(from, at);
      if (end + keyBytes > from.length) throw new RangeError('the block ends within a key');
      return { record: { facts, isPinned, key: from.subarray(end, end + keyBytes) }, end: end + keyBytes };
    },
  };
}

function bytesOfFacts({ accessKeyId, expiresAt, services }: AccessKeyFacts): number {
  const instants = expiresAt === undefined ? INSTANT_BYTES : 2 * INSTANT_BYTES;
  const names = services?.reduce((sum, name) => sum + 1 + name.length, 2) ?? 0;
  return 1 + accessKeyId.length + 1 + VERSION_BYTES + instants + names;
}

function writeFacts({ facts, isPinned }: KeyRecord, into: Buffer, at: number): number {
  const { accessKeyId, version, createdAt, expiresAt, services } = facts;
  const flags =
    (expiresAt === undefined ? 0 : EXPIRES) | (services === undefined ? 0 : RESTRICTED) | (isPinned ? PINNED : 0);
  let end = writeText(accessKeyId, into, at);
  end = into.writeUInt8(flags, end);
  end = into.writeUInt32BE(version, end);
  end = into.writeDoubleBE(createdAt, end);
  if (expiresAt !== undefined) end = into.writeDoubleBE(expiresAt, end);
  if (services === undefined) return end;
  end = into.writeUInt16BE(services.length, end);
  for (const name of services) end = writeText(name, into, end);
  return end;
}

type ReadFacts = Omit<KeyRecord, 'key'> & { readonly end: number };

function readFacts(from: Buffer, at: number): ReadFacts {
  const { text: accessKeyId, end: afterId } = readText(from, at);
  const flags = from.readUInt8(afterId);
  const version = from.readUInt32BE(afterId + 1);
  const createdAt = from.readDoubleBE(afterId + 1 + VERSION_BYTES);
  const afterCreation = afterId + 1 + VERSION_BYTES + INSTANT_BYTES;
  const expires = (flags & EXPIRES) !== 0;
  const afterExpiry = expires ? afterCreation + INSTANT_BYTES : afterCreation;
  const { services, end } = (flags & RESTRICTED) === 0 ? { end: afterExpiry } : readNames(from, afterExpiry);
  const facts: AccessKeyFacts = {
    accessKeyId,
    version,
    createdAt,
    ...(expires && { expiresAt: from.readDoubleBE(afterCreation) }),
    ...(services && { services }),
  };
  return { facts, isPinned: (flags & PINNED) !== 0, end };
}

function readNames(from: Buffer, at: number): { readonly services: readonly string[]; readonly end: number } {
  const services: string[] = [];
  let end = at + 2;
  for (let left = from.readUInt16BE(at); left > 0; left -= 1) {
    const name = readText(from, end);
    services.push(name.text);
    end = name.end;
  }
  return { services, end };
}

/** Access key ids and names of services are ASCII, and at most 128 characters. */
export function writeText(text: string, into: Buffer, at: number): number {
  const end = into.writeUInt8(text.length, at);
  return end + into.write(text, end, 'latin1');
}

export function readText(from: Buffer, at: number): { readonly text: string; readonly end: number } {
  const start = at + 1;
  const end = start + from.readUInt8(at);
  if (end > from.length) throw new RangeError('the block ends within a name');
  return { text: from.toString('latin1', start, end), end };
}
