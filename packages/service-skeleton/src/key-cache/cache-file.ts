import type { CacheSecret } from './cache-secret.js';
import type { FileContents } from './file-contents.js';
import type { SealedFile } from './sealed-file.js';
import type { SegmentHead } from './segment-head.js';

export interface Sealing {
  readonly secret: CacheSecret;
  readonly head: SegmentHead;
}

/** Changes that do not wait for others. */
const MANY_PENDING = 20_000;
/** Changes that are remembered one by one; with more, the whole file is written anew. */
const MOST_PENDING = 100_000;
/** A file may hold so many records that were replaced or let go, beside one for each that memory has. */
const SLACK = 1_000;

/**
 * A file of the cache and what it lacks of memory. It grows by what changes, and is written anew when half of it is of
 * the past: so a key costs a few writes in all, however many there are.
 */
export class CacheFile {
  readonly #sealed: SealedFile;
  #pending = new Set<string>();
  #isStale: boolean;
  /** It is stale because it holds what must not come back. */
  #holdsDenied = false;

  constructor(sealed: SealedFile, isStale = false) {
    this.#sealed = sealed;
    this.#isStale = isStale;
  }

  get name(): string {
    return this.#sealed.name;
  }

  get bytes(): number {
    return this.#sealed.bytes;
  }

  get isBehind(): boolean {
    return this.#pending.size > 0 || this.isStale;
  }

  /** Whether it is to be written anew. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Whether it cannot wait: it holds what must not come back, or very much has changed. */
  get isPressing(): boolean {
    return this.#holdsDenied || this.#pending.size >= MANY_PENDING;
  }

  changed(accessKeyId: string): void {
    this.#pending.add(accessKeyId);
    if (this.#pending.size <= MOST_PENDING) return;
    this.#pending.clear();
    this.makeStale();
  }

  /** Another secret seals from now on, or there was too much to keep track of. */
  makeStale(): void {
    this.#isStale = true;
  }

  /** Keys went from memory that must not come back. */
  drop(): void {
    this.#isStale = true;
    this.#holdsDenied = true;
  }

  /** Brings the file to what memory has; it is removed when that is nothing. Rejects with the error of the disk. */
  async write(contents: FileContents, sealing: Sealing): Promise<void> {
    const pending = this.#pending;
    const isStale = this.#isStale || this.#isMostlyPast(contents, pending.size);
    const heldDenied = this.#holdsDenied;
    this.#pending = new Set();
    this.#isStale = false;
    this.#holdsDenied = false;
    try {
      if (contents.records === 0) await this.#sealed.remove();
      else if (isStale) await this.#sealed.replace({ ...sealing, blocks: contents.all() });
      else if (pending.size > 0) await this.#sealed.append({ ...sealing, blocks: contents.of(pending) });
    } catch (error) {
      for (const accessKeyId of pending) this.changed(accessKeyId);
      if (isStale || isGone(error)) this.makeStale();
      if (heldDenied) await this.#loseDenied();
      throw error;
    }
  }

  /** Better no file than one with keys that were revoked; and a full disk has room again. */
  async #loseDenied(): Promise<void> {
    this.drop();
    await this.#sealed.remove();
    this.#holdsDenied = false;
  }

  #isMostlyPast({ records }: FileContents, pending: number): boolean {
    return this.#sealed.records + pending > 2 * records + SLACK;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
