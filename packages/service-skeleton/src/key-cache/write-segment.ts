import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { CacheSecret } from './cache-secret.js';
import {
  END_BYTES,
  SALT_BYTES,
  sealBlock,
  segmentKey,
  TAG_BYTES,
  writeHeader,
  type SegmentPlace,
} from './segment-form.js';
import { writeHead, type SegmentHead } from './segment-head.js';

/** Records as they go into a block; whoever gives it overwrites the content afterwards. */
export interface RecordBlock {
  readonly content: Uint8Array;
  readonly records: number;
}

export interface SegmentToWrite {
  readonly handle: FileHandle;
  /** Where in the file it is to begin, bytes. */
  readonly offset: number;
  readonly place: SegmentPlace;
  readonly secret: CacheSecret;
  readonly head: SegmentHead;
  readonly blocks: Iterable<RecordBlock>;
}

export interface WrittenSegment {
  readonly records: number;
  /** Where the next will begin, bytes. */
  readonly end: number;
  /** The tag that ends it. */
  readonly tag: Buffer;
}

/** Writes one segment, a block at a time, and makes it durable. */
export async function writeSegment(segment: SegmentToWrite): Promise<WrittenSegment> {
  const { handle, place, secret, head, blocks } = segment;
  const salt = randomBytes(SALT_BYTES);
  const key = segmentKey(secret, salt, place);
  let end = segment.offset;
  let number = 0;
  let records = 0;
  let sealed: Buffer = Buffer.alloc(0);
  const write = async (bytes: Buffer): Promise<void> => {
    await writeAt(handle, bytes, end);
    end += bytes.length;
  };
  const writeBlock = async (content: Uint8Array, isLast: boolean): Promise<void> => {
    sealed = sealBlock(key, number, isLast, content);
    number += 1;
    await write(sealed);
  };
  await write(writeHeader({ secretName: secret.name, salt }));
  await writeBlock(writeHead(head), false);
  for (const block of blocks) {
    await writeBlock(block.content, false);
    records += block.records;
  }
  const count = Buffer.alloc(END_BYTES);
  count.writeUInt32BE(records);
  await writeBlock(count, true);
  await handle.datasync();
  return { records, end, tag: sealed.subarray(-TAG_BYTES) };
}

async function writeAt(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, offset + written);
    written += bytesWritten;
  }
}
