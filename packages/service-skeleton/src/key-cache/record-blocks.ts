import type { RecordBlock } from './write-segment.js';

/** How one kind of record is written. */
export interface RecordForm<Record> {
  readonly bytesOf: (record: Record) => number;
  /** Writes it at a place where there is room. Returns where it ends. */
  readonly write: (record: Record, into: Buffer, at: number) => number;
  /** Reads one. Parts of it may be views of `from`. Throws RangeError where `from` ends too early. */
  readonly read: (from: Buffer, at: number) => { readonly record: Record; readonly end: number };
}

/** Large enough that its frame costs nothing, small enough that sealing it holds nobody up. */
const BLOCK_BYTES = 64 * 1024;

/** Puts records into blocks. A block's content is overwritten as soon as the next is asked for. */
export function* blocksOf<Record>(form: RecordForm<Record>, records: Iterable<Record>): Iterable<RecordBlock> {
  let block: Buffer = Buffer.alloc(BLOCK_BYTES);
  let end = 0;
  let count = 0;
  try {
    for (const record of records) {
      const bytes = form.bytesOf(record);
      if (end + bytes > block.length && count > 0) {
        yield { content: block.subarray(0, end), records: count };
        [end, count] = [0, 0];
      }
      if (bytes > block.length) block = grown(block, bytes);
      end = form.write(record, block, end);
      count += 1;
    }
    if (count > 0) yield { content: block.subarray(0, end), records: count };
  } finally {
    block.fill(0);
  }
}

export function* recordsIn<Record>(form: RecordForm<Record>, content: Buffer): Iterable<Record> {
  let at = 0;
  while (at < content.length) {
    const { record, end } = form.read(content, at);
    at = end;
    yield record;
  }
}

function grown(block: Buffer, bytes: number): Buffer {
  block.fill(0);
  return Buffer.alloc(bytes);
}
