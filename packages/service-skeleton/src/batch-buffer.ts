import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { bufferFile, bufferFileName, isUnfinished, sizeOnDisk, type BufferFile } from './buffer-file.js';
import { BufferFull } from './buffer-full.js';
import { BufferShares } from './buffer-shares.js';
import { placeFile, privateFolder } from './durable-files.js';
import type { Logger } from './logging.js';
import { WaitingEntries } from './waiting-entries.js';

export interface BatchBufferOptions<Entry> {
  /** Made when it is not there. */
  readonly folder: string;
  readonly entry: z.ZodType<Entry>;
  /** The most that may wait here, bytes on disk. */
  readonly mostBytes: number;
  /** The most entries that are kept, and so handed on, together. */
  readonly mostTogether: number;
  /** What tells of entries that had to go: kept in their place. Absent: a full buffer takes nothing more. */
  readonly toldAs?: (lost: readonly Entry[], unreadableFiles: number) => Entry;
  /** Whose entry it is, where many fill the buffer: none of them may have more waiting than there is room left. */
  readonly ownerOf?: (entry: Entry) => string;
  readonly log: Logger;
}

/** Entries that were kept together. */
export interface BufferedGroup<Entry> {
  readonly entries: readonly Entry[];
  /** Takes the group out of the buffer, for what it was kept for is done. */
  readonly remove: () => Promise<void>;
}

/** A full buffer drops this part of itself at once, so that what tells of the dropped takes little of the room. */
const DROPPED_AT_ONCE = 1 / 16;

/**
 * Batches on disk, on their way to the tier above: first in, first out, of bounded size. What `put` has resolved for is
 * still there after a crash; what was handed on just before one may be handed on again.
 *
 * A file is what arrived while the file before it was written: many puts share one sync.
 */
export class BatchBuffer<Entry> {
  readonly #options: BatchBufferOptions<Entry>;
  readonly #files: BufferFile[];
  readonly #shares = new BufferShares();
  readonly #waiting: WaitingEntries<Entry>;
  #bytes: number;
  #nextNumber: number;
  #writing: Promise<void> | undefined;

  private constructor(options: BatchBufferOptions<Entry>, files: BufferFile[]) {
    this.#options = options;
    this.#files = files;
    this.#waiting = new WaitingEntries(options.ownerOf);
    this.#bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#nextNumber = (files.at(-1)?.number ?? 0) + 1;
  }

  /** Finds what an earlier process left. */
  static async open<Entry>(options: BatchBufferOptions<Entry>): Promise<BatchBuffer<Entry>> {
    const { folder } = options;
    await privateFolder(folder);
    const files: BufferFile[] = [];
    for (const name of await readdir(folder)) {
      // Never acknowledged, or else it would bear its final name.
      if (isUnfinished(name)) await rm(join(folder, name), { force: true });
      const file = bufferFile(name, (await statIfThere(join(folder, name)))?.size ?? 0);
      if (file) files.push(file);
    }
    files.sort((a, b) => a.number - b.number);
    return new BatchBuffer(options, files);
  }

  /** Bytes on disk that wait to be handed on. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Groups that wait to be handed on. */
  get groups(): number {
    return this.#files.length;
  }

  /** Resolves once the entry is durable. Rejects with BufferFull, or with the error of the disk. */
  put(entry: Entry): Promise<void> {
    return this.#put(entry, false);
  }

  /**
   * Keeps what tells of entries that are handed on no further, before their group is removed. It finds room in a full
   * buffer, too: or else a full buffer with such a group at its head would never be emptied again.
   */
  putInPlace(entry: Entry): Promise<void> {
    return this.#put(entry, true);
  }

  /** Whether the owner has as much waiting as it may. */
  isShareUsedUp(owner: string): boolean {
    return this.#shares.isUsedUp(owner, this.#options.mostBytes - this.#bytes);
  }

  /** What has waited longest, or undefined when nothing waits. */
  async oldest(): Promise<BufferedGroup<Entry> | undefined> {
    for (let file = this.#files[0]; file; file = this.#files[0]) {
      const entries = await this.#read(file);
      const held = file;
      if (entries) return { entries, remove: () => this.#remove(held) };
      await this.#setAside(file);
    }
    return undefined;
  }

  /** Resolves when every put under way has an outcome. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  #put(entry: Entry, isInPlace: boolean): Promise<void> {
    const kept = this.#waiting.add(entry, isInPlace);
    this.#writing ??= this.#writeAll();
    return kept;
  }

  async #writeAll(): Promise<void> {
    // What is put in the same turn shares the first file.
    await Promise.resolve();
    while (!this.#waiting.isEmpty) {
      const group = this.#waiting.takeGroup(this.#options.mostTogether, (owner) => this.isShareUsedUp(owner));
      if (group.bytes === 0) continue;
      try {
        if (!group.isInPlace) await this.#makeRoom(sizeOnDisk(group.bytes));
        const file = await this.#place(group.content);
        this.#shares.add(file, group.bytes, group.ofOwners);
        group.resolve();
      } catch (error) {
        group.reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #place(content: string): Promise<BufferFile> {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    // The random part keeps a second process on the same folder from writing over our files.
    const name = bufferFileName(number, randomUUID());
    await placeFile(this.#options.folder, name, `${name}.unfinished`, content);
    const file = { number, name, bytes: sizeOnDisk(Buffer.byteLength(content)) };
    this.#add(file);
    return file;
  }

  #add(file: BufferFile): void {
    this.#files.push(file);
    this.#files.sort((a, b) => a.number - b.number);
    this.#bytes += file.bytes;
  }

  /** Drops the oldest where there is no room for `bytes`. */
  async #makeRoom(bytes: number): Promise<void> {
    const { mostBytes, toldAs, log } = this.#options;
    if (this.#bytes + bytes <= mostBytes) return;
    if (!toldAs) throw new BufferFull(`the buffer holds ${this.#bytes} of ${mostBytes} bytes`);
    const lost: Entry[] = [];
    const dropped: BufferFile[] = [];
    let unreadable = 0;
    let left = this.#bytes;
    const aim = mostBytes * (1 - DROPPED_AT_ONCE) - bytes - sizeOnDisk(0);
    for (const file of this.#files) {
      if (left <= aim) break;
      const entries = await this.#read(file);
      if (entries) lost.push(...entries);
      else unreadable += 1;
      dropped.push(file);
      left -= file.bytes;
    }
    log.error({ event: 'batches-dropped', batches: lost.length }, 'the buffer is full: the oldest batches are dropped');
    // Told before they go: a crash in between tells too much rather than too little.
    await this.#place(`${JSON.stringify(toldAs(lost, unreadable))}\n`);
    for (const file of dropped) await this.#remove(file);
  }

  async #read(file: BufferFile): Promise<readonly Entry[] | undefined> {
    try {
      const text = await readFile(join(this.#options.folder, file.name), 'utf8');
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.map((line) => this.#options.entry.parse(JSON.parse(line)));
    } catch (error) {
      this.#options.log.error({ err: error, file: file.name }, 'a file of the buffer cannot be read');
      return undefined;
    }
  }

  /** Keeps the file for whoever looks into it, out of the way of the others. */
  async #setAside(file: BufferFile): Promise<void> {
    const { folder, toldAs } = this.#options;
    if (toldAs) await this.#place(`${JSON.stringify(toldAs([], 1))}\n`);
    await rename(join(folder, file.name), join(folder, `${file.name}.unreadable`)).catch(() => undefined);
    this.#forget(file);
  }

  async #remove(file: BufferFile): Promise<void> {
    // Not made durable: a file that a crash brings back is handed on again, which is harmless.
    await rm(join(this.#options.folder, file.name), { force: true });
    this.#forget(file);
  }

  #forget(file: BufferFile): void {
    const place = this.#files.indexOf(file);
    if (place < 0) return;
    this.#files.splice(place, 1);
    this.#bytes -= file.bytes;
    this.#shares.remove(file);
  }
}

async function statIfThere(path: string): Promise<{ readonly size: number } | undefined> {
  return stat(path).catch(() => undefined);
}
