import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { bufferFile, bufferFileName, isUnfinished, sizeOnDisk, type BufferFile } from './buffer-file.js';
import { placeFile, privateFolder } from './durable-files.js';
import type { Logger } from './logging.js';

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
  readonly log: Logger;
}

/** Entries that were kept together. */
export interface BufferedGroup<Entry> {
  readonly entries: readonly Entry[];
  /** Takes the group out of the buffer, for what it was kept for is done. */
  readonly remove: () => Promise<void>;
}

/** The buffer takes nothing more until some of it was handed on. */
export class BufferFull extends Error {
  override readonly name = 'BufferFull';
}

interface Waiting<Entry> {
  readonly entry: Entry;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The longest content of one file, characters; an entry is never split. */
const MOST_CHARACTERS = 1_000_000;
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
  #bytes: number;
  #nextNumber: number;
  #waiting: Waiting<Entry>[] = [];
  #writing: Promise<void> | undefined;

  private constructor(options: BatchBufferOptions<Entry>, files: BufferFile[]) {
    this.#options = options;
    this.#files = files;
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
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
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

  async #writeAll(): Promise<void> {
    // What is put in the same turn shares the first file.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const { group, content } = this.#takeGroup();
      try {
        await this.#makeRoom(sizeOnDisk(Buffer.byteLength(content)));
        await this.#place(content);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = undefined;
  }

  #takeGroup(): { readonly group: readonly Waiting<Entry>[]; readonly content: string } {
    const lines: string[] = [];
    let characters = 0;
    for (const { entry } of this.#waiting.slice(0, this.#options.mostTogether)) {
      const line = `${JSON.stringify(entry)}\n`;
      if (lines.length > 0 && characters + line.length > MOST_CHARACTERS) break;
      lines.push(line);
      characters += line.length;
    }
    return { group: this.#waiting.splice(0, lines.length), content: lines.join('') };
  }

  async #place(content: string): Promise<void> {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    // The random part keeps a second process on the same folder from writing over our files.
    const name = bufferFileName(number, randomUUID());
    await placeFile(this.#options.folder, name, `${name}.unfinished`, content);
    this.#add({ number, name, bytes: sizeOnDisk(Buffer.byteLength(content)) });
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
  }
}

async function statIfThere(path: string): Promise<{ readonly size: number } | undefined> {
  return stat(path).catch(() => undefined);
}
