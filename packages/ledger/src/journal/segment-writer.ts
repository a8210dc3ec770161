import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { placeFile, writeAt } from './durable-files.js';
import { JournalError, systemCodeOf } from './journal-error.js';
import type { ChainPosition } from './record-chain.js';
import { formatHeader, segmentFile, UNFINISHED_SEGMENT } from './segment-form.js';
import type { Segment } from './segment.js';

/** Makes what was written to a file durable: fdatasync, or a stand-in that fails on purpose. */
export type MakeDurable = (handle: FileHandle) => Promise<void>;

const NO_SPACE: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);

/** The segment that is appended to. Its file ends with the last durable record, or it takes no more. */
export class SegmentWriter {
  readonly #handle: FileHandle;
  readonly #makeDurable: MakeDurable;
  #segment: Segment;
  #failed = false;

  private constructor(handle: FileHandle, segment: Segment, makeDurable: MakeDurable) {
    this.#handle = handle;
    this.#segment = segment;
    this.#makeDurable = makeDurable;
  }

  static async open(folder: string, segment: Segment, makeDurable: MakeDurable): Promise<SegmentWriter> {
    try {
      return new SegmentWriter(await open(join(folder, segment.file), 'r+'), segment, makeDurable);
    } catch (cause) {
      throw new JournalError('write-failed', { file: segment.file, cause });
    }
  }

  get segment(): Segment {
    return this.#segment;
  }

  /** Appends whole lines; they are durable once it resolves. Throws JournalError `disk-full` or `write-failed`. */
  async append(lines: string): Promise<void> {
    if (this.#failed) throw new JournalError('write-failed', { file: this.#segment.file });
    const { size, file } = this.#segment;
    const bytes = Buffer.from(lines);
    try {
      await writeAt(this.#handle, bytes, size);
      await this.#makeDurable(this.#handle);
    } catch (cause) {
      const full = NO_SPACE.has(systemCodeOf(cause));
      // After a failed sync the kernel may have dropped the pages and forgotten the error, so that a later sync would
      // succeed for records that are not on disk. Only lack of space is known to leave the file as good as before.
      this.#failed = !(await this.#cutBackTo(size)) || !full;
      throw new JournalError(full ? 'disk-full' : 'write-failed', { file, offset: size, cause });
    }
    this.#segment = { ...this.#segment, size: size + bytes.length };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #cutBackTo(size: number): Promise<boolean> {
    try {
      await this.#handle.truncate(size);
      await this.#makeDurable(this.#handle);
      return true;
    } catch {
      return false;
    }
  }
}

/** Creates a segment that goes on from a position, durably. Throws JournalError `disk-full` or `write-failed`. */
export async function createSegment(folder: string, journalId: string, before: ChainPosition): Promise<Segment> {
  const file = segmentFile(before.seq + 1);
  const header = formatHeader({ journalId, before });
  try {
    await placeFile(folder, file, UNFINISHED_SEGMENT, header);
  } catch (cause) {
    await rm(join(folder, UNFINISHED_SEGMENT), { force: true });
    throw new JournalError(NO_SPACE.has(systemCodeOf(cause)) ? 'disk-full' : 'write-failed', { file, cause });
  }
  return { file, before, headerEnd: header.length, size: header.length };
}
