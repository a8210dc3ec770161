import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './durable-files.js';
import { JournalError } from './journal-error.js';
import { chainGenesis, type ChainPosition } from './record-chain.js';
import { firstSeqOf, UNFINISHED_SEGMENT } from './segment-form.js';
import { readHeader, readRecords, startOf, type Cursor, type Segment } from './segment.js';

/** What was cut off the end: a record whose writing a crash interrupted, and which was never acknowledged. */
export interface TornRecord {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** A journal as it was found on disk, every record verified. */
export interface Recovered {
  readonly journalId: string;
  /** Ascending; at least one. */
  readonly segments: readonly Segment[];
  readonly end: ChainPosition;
  /** Where the records begin that were not uploaded. */
  readonly uploaded: Cursor;
  readonly torn: TornRecord | undefined;
}

interface Verification {
  readonly mark: ChainPosition;
  uploaded: Cursor | undefined;
  torn: TornRecord | undefined;
}

/** The segments' names in order. Throws JournalError for a file that poses as one. Removes an unfinished one. */
export async function listSegments(folder: string): Promise<readonly string[]> {
  await rm(join(folder, UNFINISHED_SEGMENT), { force: true });
  const names = (await readdir(folder)).filter((name) => name.startsWith('journal'));
  const stranger = names.find((name) => firstSeqOf(name) === undefined);
  if (stranger !== undefined) throw new JournalError('segment-out-of-place', { file: stranger });
  return names.sort();
}

/**
 * Verifies every record that is left, and the mark of what was uploaded against them. Only then is a torn last record
 * cut off; on any error nothing on disk was changed.
 */
export async function recover(folder: string, files: readonly string[], mark: ChainPosition): Promise<Recovered> {
  const verification: Verification = { mark, uploaded: undefined, torn: undefined };
  const segments: Segment[] = [];
  let journalId: string | undefined;
  let end: ChainPosition | undefined;
  for (const [index, file] of files.entries()) {
    const found = await verifySegment(folder, file, { journalId, end, last: index === files.length - 1 }, verification);
    segments.push(found.segment);
    journalId = found.journalId;
    end = found.end;
  }
  const [first] = segments;
  if (first === undefined || journalId === undefined || end === undefined) throw new JournalError('records-missing');
  const { uploaded, torn } = verification;
  if (uploaded === undefined) {
    const gone = mark.seq > end.seq || mark.seq < first.before.seq;
    throw new JournalError(gone ? 'records-missing' : 'mark-damaged', { detail: `uploaded up to ${mark.seq}` });
  }
  await settle(folder, segments.at(-1) ?? first, torn);
  return { journalId, segments, end, uploaded, torn };
}

async function verifySegment(
  folder: string,
  file: string,
  expected: { readonly journalId: string | undefined; readonly end: ChainPosition | undefined; readonly last: boolean },
  verification: Verification,
): Promise<{ readonly segment: Segment; readonly journalId: string; readonly end: ChainPosition }> {
  const handle = await open(join(folder, file), 'r');
  try {
    const { header, headerEnd } = await readHeader(handle, file);
    const { journalId, before } = header;
    checkPlace(file, before, expected.end ?? (before.seq === 0 ? chainGenesis(journalId) : before));
    if (expected.journalId !== undefined && expected.journalId !== journalId) {
      throw new JournalError('segment-out-of-place', { file, detail: 'of another journal' });
    }
    const { size } = await handle.stat();
    let cursor = startOf({ file, before, headerEnd, size });
    findMark(verification, cursor);
    const records = readRecords(handle, cursor, ({ offset, end }) => {
      // A crash tears the last line of the last segment; anything else without a line break is damage.
      if (!expected.last || end !== size)
        throw new JournalError('corrupt', { file, offset, detail: 'unfinished line' });
      verification.torn = { file, offset, bytes: size - offset };
    });
    for await (const record of records) {
      cursor = { segment: cursor.segment, position: { seq: record.seq, hash: record.hash }, offset: record.end };
      findMark(verification, cursor);
    }
    return { segment: { file, before, headerEnd, size: cursor.offset }, journalId, end: cursor.position };
  } finally {
    await handle.close();
  }
}

/** Holds a segment's header to its name and to where the chain stood at the end of the segment before. */
function checkPlace(file: string, before: ChainPosition, end: ChainPosition): void {
  if (firstSeqOf(file) !== before.seq + 1 || before.seq < end.seq) {
    throw new JournalError('segment-out-of-place', { file });
  }
  if (before.seq > end.seq) {
    throw new JournalError('records-missing', { file, detail: `records ${end.seq + 1} to ${before.seq} before it` });
  }
  if (before.hash !== end.hash) throw new JournalError('corrupt', { file, offset: 0, detail: 'chain' });
}

/** Finds the place that the mark names, where the chain confirms it. */
function findMark(verification: Verification, cursor: Cursor): void {
  const { mark } = verification;
  if (mark.seq === cursor.position.seq && mark.hash === cursor.position.hash) verification.uploaded = cursor;
}

/**
 * Cuts off a torn record and makes what is left durable: a killed writer may have left it to the kernel alone, and from
 * here on it counts as recorded.
 */
async function settle(folder: string, { file }: Segment, torn: TornRecord | undefined): Promise<void> {
  const handle = await open(join(folder, file), 'r+');
  try {
    if (torn !== undefined) await handle.truncate(torn.offset);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await syncFolder(folder);
}
