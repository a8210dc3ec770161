import type { FileHandle } from 'node:fs/promises';
import { CacheFileError } from './cache-problem.js';
import type { CacheSecret } from './cache-secret.js';
import {
  END_BYTES,
  HEADER_BYTES,
  LENGTH_BYTES,
  openBlock,
  readHeader,
  readLength,
  segmentKey,
  TAG_BYTES,
  type SegmentPlace,
} from './segment-form.js';
import { readHead, type SegmentHead } from './segment-head.js';

export interface SegmentToRead {
  readonly handle: FileHandle;
  /** Where in the file it begins, bytes. */
  readonly offset: number;
  readonly place: SegmentPlace;
  /** Any of them may have sealed it. */
  readonly secrets: readonly CacheSecret[];
  /** Called before any records. May throw a CacheFileError. */
  readonly onHead: (head: SegmentHead) => void;
  /** Called with the content of each block of records, which is overwritten afterwards. */
  readonly onRecords?: (content: Buffer) => void;
}

/** A segment that is whole and authentic. */
export interface ReadSegment {
  readonly secretName: string;
  readonly records: number;
  /** Where the next begins, bytes. */
  readonly end: number;
  /** The tag that ends it. */
  readonly tag: Buffer;
}

/**
 * Reads one segment, a block at a time; undefined at the end of the file.
 * @throws CacheFileError for one that is not whole and authentic; what `onRecords` was given was authentic by itself
 */
export async function readSegment(segment: SegmentToRead): Promise<ReadSegment | undefined> {
  const { handle, offset, place, secrets, onHead, onRecords } = segment;
  const header = await readBytes(handle, offset, HEADER_BYTES);
  if (header === undefined) return undefined;
  const { secretName, salt } = readHeader(header);
  const secret = secrets.find(({ name }) => name === secretName);
  if (secret === undefined) throw new CacheFileError('other-identity');
  const key = segmentKey(secret, salt, place);
  let end = offset + HEADER_BYTES;
  for (let number = 0; ; number += 1) {
    const { sealed, isLast } = await readSealed(handle, end);
    const content = openBlock(key, number, isLast, sealed);
    end += LENGTH_BYTES + sealed.length;
    try {
      if (isLast) return { secretName, records: readEnd(number, content), end, tag: sealed.subarray(-TAG_BYTES) };
      if (number === 0) onHead(readHead(content));
      else onRecords?.(content);
    } finally {
      content.fill(0);
    }
  }
}

async function readSealed(handle: FileHandle, offset: number): Promise<{ sealed: Buffer; isLast: boolean }> {
  const length = await readBytes(handle, offset, LENGTH_BYTES);
  if (length === undefined) throw new CacheFileError('cut-short');
  const { sealedBytes, isLast } = readLength(length);
  const sealed = await readBytes(handle, offset + LENGTH_BYTES, sealedBytes);
  if (sealed === undefined) throw new CacheFileError('cut-short');
  return { sealed, isLast };
}

/** The last block: how many records came before it. */
function readEnd(number: number, content: Buffer): number {
  if (number === 0 || content.length !== END_BYTES) throw new CacheFileError('other-form');
  return content.readUInt32BE(0);
}

/** Undefined at the end of the file. */
async function readBytes(handle: FileHandle, offset: number, length: number): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  if (read === 0) return undefined;
  if (read < length) throw new CacheFileError('cut-short');
  return bytes;
}
