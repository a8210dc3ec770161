import type { AccessKeyFacts } from '../key-source.js';
import { Blocks, type Chunk } from './blocks.js';
import { ServiceLists } from './service-lists.js';

/** What is known of an access key beside its id. */
export type FactsBesideId = Omit<AccessKeyFacts, 'accessKeyId'>;

/** Bytes that facts take in a record. */
export const FACTS_BYTES = 7;

// Usual facts, those of an access key that does not expire and is good for every service, are in the record: version
// of the secret (1 byte, never 0), creation (6 bytes). Of others it has a 0, and the number of a block, counted from 1.
const CREATED_AT = 1;
const CREATED_BYTES = 6;
const NEWEST_CREATION = 2 ** (8 * CREATED_BYTES) - 1;
const LAST_SHORT_VERSION = 255;
const LINK_AT = 1;

// A block: creation (8 bytes) and expiry (8; NaN: it does not expire), epoch milliseconds; version (4); number of the
// list of services (4). The creation is first: a free block has its link there.
const EXPIRES_AT = 8;
const VERSION_AT = 16;
const SERVICES_AT = 20;

/** Bytes that unusual facts take beside the record. */
export const UNUSUAL_FACTS_BYTES = 24;

/** A place in a record. */
export interface FactsPlace {
  readonly chunk: Chunk;
  readonly at: number;
}

/** The facts of access keys, flat: in their records where they are usual, else in blocks beside them. */
export class FactsStore {
  readonly #blocks: Blocks;
  readonly #services = new ServiceLists();

  constructor({ most, allocate }: { readonly most: number; readonly allocate: (bytes: number) => Uint8Array }) {
    this.#blocks = new Blocks({ size: UNUSUAL_FACTS_BYTES, most, allocate });
  }

  /** Memory taken beside the records. */
  get bytes(): number {
    return this.#blocks.bytes;
  }

  /** 0 in a new record. */
  versionAt({ chunk, at }: FactsPlace): number {
    const version = chunk.bytes[at] ?? 0;
    const block = version === 0 ? this.#blockOf({ chunk, at }) : undefined;
    return block ? block.chunk.view.getUint32(block.at + VERSION_AT, true) : version;
  }

  read({ chunk, at }: FactsPlace): FactsBesideId {
    const version = chunk.bytes[at] ?? 0;
    if (version !== 0) return { version, createdAt: chunk.bytes.readUIntLE(at + CREATED_AT, CREATED_BYTES) };
    const block = this.#blockOf({ chunk, at });
    if (!block) throw new RangeError('a record without facts');
    const { view } = block.chunk;
    const expiresAt = view.getFloat64(block.at + EXPIRES_AT, true);
    const services = this.#services.listOf(view.getUint32(block.at + SERVICES_AT, true));
    return {
      version: view.getUint32(block.at + VERSION_AT, true),
      createdAt: view.getFloat64(block.at, true),
      ...(!Number.isNaN(expiresAt) && { expiresAt }),
      ...(services && { services }),
    };
  }

  /** In place of those that were there. */
  write({ chunk, at }: FactsPlace, facts: FactsBesideId): void {
    const services = this.#services.numberOf(facts.services);
    this.release({ chunk, at });
    const { version, createdAt, expiresAt } = facts;
    if (services === 0 && expiresAt === undefined && isShort(version, createdAt)) {
      chunk.bytes[at] = version;
      chunk.bytes.writeUIntLE(createdAt, at + CREATED_AT, CREATED_BYTES);
      return;
    }
    const number = this.#blocks.take();
    chunk.view.setUint32(at + LINK_AT, number + 1, true);
    const { view } = this.#blocks.chunkOf(number);
    const from = this.#blocks.offsetOf(number);
    view.setFloat64(from, createdAt, true);
    view.setFloat64(from + EXPIRES_AT, expiresAt ?? Number.NaN, true);
    view.setUint32(from + VERSION_AT, version, true);
    view.setUint32(from + SERVICES_AT, services, true);
  }

  /** Overwrites them with zeros. */
  release({ chunk, at }: FactsPlace): void {
    const block = chunk.bytes[at] === 0 ? this.#blockOf({ chunk, at }) : undefined;
    if (block) {
      this.#services.release(block.chunk.view.getUint32(block.at + SERVICES_AT, true));
      this.#blocks.giveBack(block.number);
    }
    chunk.bytes.fill(0, at, at + FACTS_BYTES);
  }

  /** Overwrites everything beside the records with zeros. */
  wipe(): void {
    this.#blocks.wipe();
    this.#services.clear();
  }

  #blockOf({ chunk, at }: FactsPlace): (FactsPlace & { readonly number: number }) | undefined {
    const link = chunk.view.getUint32(at + LINK_AT, true);
    if (link === 0) return undefined;
    const number = link - 1;
    return { number, chunk: this.#blocks.chunkOf(number), at: this.#blocks.offsetOf(number) };
  }
}

function isShort(version: number, createdAt: number): boolean {
  const isWhole = Number.isInteger(createdAt) && createdAt >= 0 && createdAt <= NEWEST_CREATION;
  return isWhole && version > 0 && version <= LAST_SHORT_VERSION;
}
