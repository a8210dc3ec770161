import { isAccessKeyId, isServiceName } from '@sigv4-keyd/sigv4-core';
import type { AccessKeyFacts } from '../key-source.js';
import { MOST_FRAME_BYTES, WrongStream } from './frame.js';

/** A key as it travels: what is known of its access key, and its bytes. */
export interface StreamedKey {
  readonly facts: AccessKeyFacts;
  readonly key: Uint8Array;
}

// An entry: id (length, ASCII), flags, createdAt, version, then what the flags announce, then the key. Instants are
// milliseconds in six bytes, good until the year 10889. Lists of services are few and come again and again: each is
// written once a page, and later entries name it by its number.
const EXPIRES = 1;
const HAS_SERVICES = 2;
const INSTANT_BYTES = 6;
/** Of one access key: their number is a byte. */
const MOST_SERVICES = 255;
const FIXED_BYTES = 1 + 1 + INSTANT_BYTES + 4;

/** What keys are put into, a page at a time. */
export interface PageWriter {
  /** Of the frames that its pages make. */
  readonly kind: 'page' | 'sealed';
  /** Copies the key. False when the page has no place for it any more. */
  add(key: StreamedKey): boolean;
  /** What the page holds; the writer is empty then. Undefined when there is nothing. */
  take(): Buffer | undefined;
}

/** Puts keys into pages. The keys of a page come in ascending order of their ids, as those of the whole stream do. */
export class KeyPageWriter implements PageWriter {
  readonly kind = 'page';
  readonly #keyBytes: number;
  readonly #page: Buffer;
  readonly #serviceLists = new Map<string, number>();
  #length = 0;

  constructor(keyBytes: number, pageBytes: number = MOST_FRAME_BYTES.page) {
    this.#keyBytes = keyBytes;
    this.#page = Buffer.alloc(pageBytes);
  }

  /** False when the page has no place for it any more. */
  add({ facts, key }: StreamedKey): boolean {
    const { accessKeyId, createdAt, version, expiresAt, services } = facts;
    if (key.length !== this.#keyBytes) throw new RangeError(`a key of ${key.length} bytes`);
    const list = services === undefined ? undefined : this.#listOf(services);
    const extra = (expiresAt === undefined ? 0 : INSTANT_BYTES) + (list ? 2 + list.bytes.length : 0);
    if (this.#length + FIXED_BYTES + accessKeyId.length + extra + key.length > this.#page.length) return false;
    this.#text(accessKeyId);
    this.#uint((expiresAt === undefined ? 0 : EXPIRES) | (list ? HAS_SERVICES : 0), 1);
    this.#uint(createdAt, INSTANT_BYTES);
    this.#uint(version, 4);
    if (expiresAt !== undefined) this.#uint(expiresAt, INSTANT_BYTES);
    if (list) {
      this.#uint(list.number, 2);
      this.#bytes(list.bytes);
      this.#serviceLists.set(list.name, list.number);
    }
    this.#bytes(key);
    return true;
  }

  /** What the page holds; the writer is empty then. Undefined when there is nothing. */
  take(): Buffer | undefined {
    if (this.#length === 0) return undefined;
    const page = Buffer.from(this.#page.subarray(0, this.#length));
    this.#page.fill(0, 0, this.#length);
    this.#length = 0;
    this.#serviceLists.clear();
    return page;
  }

  #listOf(services: readonly string[]): { readonly name: string; readonly number: number; readonly bytes: Buffer } {
    const name = services.join(',');
    const known = this.#serviceLists.get(name);
    if (known !== undefined) return { name, number: known, bytes: Buffer.alloc(0) };
    if (services.length > MOST_SERVICES) throw new RangeError(`a list of ${services.length} services`);
    const parts = services.map((service) => Buffer.concat([Buffer.of(service.length), Buffer.from(service, 'latin1')]));
    return { name, number: this.#serviceLists.size, bytes: Buffer.concat([Buffer.of(services.length), ...parts]) };
  }

  #text(text: string): void {
    this.#uint(text.length, 1);
    this.#length += this.#page.write(text, this.#length, 'latin1');
  }

  #uint(value: number, bytes: number): void {
    this.#length = this.#page.writeUIntBE(value, this.#length, bytes);
  }

  #bytes(bytes: Uint8Array): void {
    this.#page.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

/** Reads a page. The keys are views of it. Throws WrongStream unless every byte of it is part of an entry. */
export function decodeKeyPage(page: Buffer, keyBytes: number): readonly StreamedKey[] {
  return decodeEntries(page, (facts, reader) => ({ facts, key: reader.bytes(keyBytes) }));
}

/** The same of entries whose keys are in another buffer, one behind the other. The keys are views of that. */
export function decodeKeyPageBeside(entries: Buffer, keys: Buffer, keyBytes: number): readonly StreamedKey[] {
  let at = 0;
  const page = decodeEntries(entries, (facts) => ({ facts, key: keys.subarray(at, (at += keyBytes)) }));
  if (at !== keys.length) throw new WrongStream('a page with more or fewer keys than entries');
  return page;
}

function decodeEntries(
  page: Buffer,
  withKey: (facts: AccessKeyFacts, reader: PageReader) => StreamedKey,
): readonly StreamedKey[] {
  const keys: StreamedKey[] = [];
  const serviceLists: (readonly string[])[] = [];
  const reader = new PageReader(page);
  while (!reader.isOver) keys.push(withKey(readFacts(reader, serviceLists), reader));
  if (keys.length === 0) throw new WrongStream('an empty page');
  return keys;
}

function readFacts(reader: PageReader, serviceLists: (readonly string[])[]): AccessKeyFacts {
  const accessKeyId = reader.text();
  if (!isAccessKeyId(accessKeyId)) throw new WrongStream('an access key id that is none');
  const flags = reader.uint(1);
  if ((flags & ~(EXPIRES | HAS_SERVICES)) !== 0) throw new WrongStream(`unknown flags of ${accessKeyId}`);
  const createdAt = reader.uint(INSTANT_BYTES);
  const version = reader.uint(4);
  if (version === 0) throw new WrongStream(`a secret of ${accessKeyId} without a version`);
  // Most are so, and a day has millions.
  if (flags === 0) return { accessKeyId, createdAt, version };
  return {
    accessKeyId,
    createdAt,
    version,
    ...((flags & EXPIRES) !== 0 && { expiresAt: reader.uint(INSTANT_BYTES) }),
    ...((flags & HAS_SERVICES) !== 0 && { services: readServices(reader, serviceLists) }),
  };
}

function readServices(reader: PageReader, serviceLists: (readonly string[])[]): readonly string[] {
  const number = reader.uint(2);
  if (number < serviceLists.length) return serviceLists[number] ?? [];
  if (number > serviceLists.length) throw new WrongStream('a list of services that was not written');
  const services = Array.from({ length: reader.uint(1) }, () => reader.text());
  if (!services.every(isServiceName)) throw new WrongStream('a service name that is none');
  serviceLists.push(services);
  return services;
}

class PageReader {
  readonly #page: Buffer;
  #at = 0;

  constructor(page: Buffer) {
    this.#page = page;
  }

  get isOver(): boolean {
    return this.#at === this.#page.length;
  }

  text(): string {
    const from = this.#pass(this.uint(1));
    return this.#page.toString('latin1', from, this.#at);
  }

  uint(bytes: number): number {
    return this.#page.readUIntBE(this.#pass(bytes), bytes);
  }

  bytes(length: number): Buffer {
    const from = this.#pass(length);
    return this.#page.subarray(from, this.#at);
  }

  /** Where the next so many bytes begin; what follows them is next then. */
  #pass(length: number): number {
    const from = this.#at;
    if (from + length > this.#page.length) throw new WrongStream('an entry that ends beyond its page');
    this.#at += length;
    return from;
  }
}
