import { JournalError } from './journal-error.js';
import type { ChainedLine, ChainPosition } from './record-chain.js';
import { readSegment, startOf, type Cursor, type Segment } from './segment.js';

/** A journal as it is at this moment: its durable segments, ascending, and its last durable record. */
export interface JournalExtent {
  readonly segments: readonly Segment[];
  readonly end: ChainPosition;
}

export interface WalkedRecord {
  readonly record: ChainedLine;
  /** The place after the record. */
  readonly cursor: Cursor;
}

/**
 * The durable records from a place on, over all segments, up to the last one at the time that it is reached. What is
 * written but not durable is never read, for it may still be taken back.
 */
export async function* walkRecords(
  folder: string,
  from: Cursor,
  extent: () => JournalExtent,
): AsyncGenerator<WalkedRecord> {
  let cursor = from;
  for (let { segments, end } = extent(); cursor.position.seq < end.seq; { segments, end } = extent()) {
    cursor = resume(cursor, segments);
    for await (const record of readSegment(folder, cursor)) {
      const { seq, hash } = record;
      cursor = { segment: cursor.segment, position: { seq, hash }, offset: record.end };
      yield { record, cursor };
    }
  }
}

/** The same place in the segments as they are now: its segment may have grown, or the next one begun. */
function resume(cursor: Cursor, segments: readonly Segment[]): Cursor {
  const { position } = cursor;
  const next = segments.find(({ before }) => before.seq === position.seq);
  if (next !== undefined) return startOf(next);
  const segment = segments.find(({ file }) => file === cursor.segment.file);
  if (segment === undefined) throw new JournalError('not-recorded', { detail: `record ${position.seq + 1}` });
  return { ...cursor, segment };
}
