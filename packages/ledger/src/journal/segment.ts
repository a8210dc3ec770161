import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalError } from './journal-error.js';
import { readLines, type FileLine } from './read-lines.js';
import { parseLine, type ChainedLine, type ChainPosition } from './record-chain.js';
import { parseHeader, type SegmentHeader } from './segment-form.js';

/** The largest record, in bytes of its line. */
export const LONGEST_LINE_BYTES = 4_194_304;
const LONGEST_HEADER_BYTES = 256;

/** A segment as far as it is durable. */
export interface Segment {
  readonly file: string;
  readonly before: ChainPosition;
  readonly headerEnd: number;
  /** Bytes that are durable. */
  readonly size: number;
}

/** A place between two records. */
export interface Cursor {
  readonly segment: Segment;
  readonly position: ChainPosition;
  /** Where the next record's line begins in the segment's file. */
  readonly offset: number;
}

export interface SegmentRecord extends ChainedLine {
  readonly offset: number;
  readonly end: number;
}

export function startOf(segment: Segment): Cursor {
  return { segment, position: segment.before, offset: segment.headerEnd };
}

/** Throws JournalError `corrupt` when the first line is no header. */
export async function readHeader(
  handle: FileHandle,
  file: string,
): Promise<{ readonly header: SegmentHeader; readonly headerEnd: number }> {
  for await (const line of readLines(handle, { from: 0, until: LONGEST_HEADER_BYTES, longest: LONGEST_HEADER_BYTES })) {
    const header = line.complete ? parseHeader(line.text) : undefined;
    if (header === undefined) break;
    return { header, headerEnd: line.end };
  }
  throw new JournalError('corrupt', { file, offset: 0, detail: 'header' });
}

/**
 * The records from a cursor to the end of its segment, each verified as the continuation of the chain. A line that is
 * none throws JournalError `corrupt`; what follows the last line break goes to `onUnfinished`.
 */
export async function* readRecords(
  handle: FileHandle,
  { segment, position, offset }: Cursor,
  onUnfinished: (line: FileLine) => void,
): AsyncGenerator<SegmentRecord> {
  const range = { from: offset, until: segment.size, longest: LONGEST_LINE_BYTES };
  let previous = position;
  for await (const line of readLines(handle, range)) {
    if (!line.complete) {
      onUnfinished(line);
      return;
    }
    const record = parseLine(line.text, previous);
    if (record === undefined) {
      throw new JournalError('corrupt', {
        file: segment.file,
        offset: line.offset,
        detail: `record ${previous.seq + 1}`,
      });
    }
    yield { ...record, offset: line.offset, end: line.end };
    previous = record;
  }
}

/** The durable records from a cursor to the end of its segment. */
export async function* readSegment(folder: string, cursor: Cursor): AsyncGenerator<SegmentRecord> {
  const { file, size } = cursor.segment;
  const handle = await open(join(folder, file), 'r');
  try {
    let end = cursor.offset;
    for await (const record of readRecords(handle, cursor, () => undefined)) {
      yield record;
      ({ end } = record);
    }
    if (end !== size) throw new JournalError('corrupt', { file, offset: end, detail: 'unfinished line' });
  } finally {
    await handle.close();
  }
}
