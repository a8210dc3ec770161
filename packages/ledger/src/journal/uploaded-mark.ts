import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { placeFile, writeAt } from './durable-files.js';
import { JournalError, systemCodeOf } from './journal-error.js';
import type { ChainPosition } from './record-chain.js';

export const MARK_FILE = 'uploaded';
const UNFINISHED_MARK = 'uploaded.new';
// Two slots, written in turn and far enough apart never to share a disk sector: a torn write leaves the other one. They
// are written in place, so that a full disk can still be emptied by uploading.
const SLOT_OFFSETS = [0, 4096] as const;
const SLOT = /^(([0-9]{16}) ([0-9a-f]{64})) ([0-9a-f]{16})\n$/;
const SLOT_BYTES = 16 + 1 + 64 + 1 + 16 + 1;

/** Up to where the records were uploaded, durably. */
export class UploadedMark {
  readonly #handle: FileHandle;
  #nextSlot: 0 | 1 = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Writes the mark of a new journal. */
  static async create(folder: string, position: ChainPosition): Promise<void> {
    const [, second] = SLOT_OFFSETS;
    const slot = formatSlot(position);
    await placeFile(folder, MARK_FILE, UNFINISHED_MARK, slot.padEnd(second) + slot);
  }

  /** Opens the mark, or returns undefined where there is none. */
  static async open(folder: string): Promise<UploadedMark | undefined> {
    try {
      return new UploadedMark(await open(join(folder, MARK_FILE), 'r+'));
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Where the last whole write left it. Throws JournalError `mark-damaged` when neither slot can be read. */
  async read(): Promise<ChainPosition> {
    const [first, second] = [await this.#readSlot(0), await this.#readSlot(1)];
    const newest = first !== undefined && (second === undefined || first.seq >= second.seq) ? first : second;
    if (newest === undefined) throw new JournalError('mark-damaged', { file: MARK_FILE });
    this.#nextSlot = newest === first ? 1 : 0;
    return newest;
  }

  /** Durable once it resolves. */
  async write(position: ChainPosition): Promise<void> {
    try {
      await writeAt(this.#handle, Buffer.from(formatSlot(position)), SLOT_OFFSETS[this.#nextSlot]);
      await this.#handle.datasync();
    } catch (cause) {
      throw new JournalError('write-failed', { file: MARK_FILE, cause });
    }
    this.#nextSlot = this.#nextSlot === 0 ? 1 : 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #readSlot(slot: 0 | 1): Promise<ChainPosition | undefined> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(SLOT_BYTES), 0, SLOT_BYTES, SLOT_OFFSETS[slot]);
    const [, position, seq, hash, checksum] = SLOT.exec(buffer.toString('latin1', 0, bytesRead)) ?? [];
    if (position === undefined || checksum !== checksumOf(position)) return undefined;
    return seq === undefined || hash === undefined ? undefined : { seq: Number(seq), hash };
  }
}

function formatSlot({ seq, hash }: ChainPosition): string {
  const position = `${String(seq).padStart(16, '0')} ${hash}`;
  return `${position} ${checksumOf(position)}\n`;
}

/** Tells a torn write; that nobody changed the mark is told by the chain of records. */
function checksumOf(position: string): string {
  return createHash('sha256').update(position).digest('hex').slice(0, 16);
}
