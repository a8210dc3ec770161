import { randomUUID } from 'node:crypto';
import { createFolder } from './durable-files.js';
import { JournalError, systemCodeOf } from './journal-error.js';
import { Journal, type RecordForm } from './journal.js';
import { chainGenesis } from './record-chain.js';
import { listSegments, recover } from './recovery.js';
import { removeSegments, uploadedSegments } from './remove-uploaded.js';
import { isJournalId } from './segment-form.js';
import { createSegment, SegmentWriter, type MakeDurable } from './segment-writer.js';
import { MARK_FILE, UploadedMark } from './uploaded-mark.js';
import { lockForWriting, type WriterLock } from './writer-lock.js';

export interface JournalSettings<T> {
  /** A folder of the journal's own, on a local file system; created, for its owner only, where there is none. */
  readonly folder: string;
  readonly form: RecordForm<T>;
  /** A segment that has reached this many bytes is followed by a new one. Default 8 MiB. */
  readonly segmentBytes?: number;
  /** Makes names that never repeat, of letters, digits and hyphens. Default: random UUIDs. */
  readonly createId?: () => string;
  /** Default: fdatasync. */
  readonly makeDurable?: MakeDurable;
}

const DEFAULT_SEGMENT_BYTES = 8_388_608;
const dataSync: MakeDurable = (handle) => handle.datasync();

/**
 * Opens a journal, or begins one: takes the folder for this process, verifies every record, and cuts off a torn last
 * one (see `Journal.torn`). Throws JournalError `folder-unusable`, `locked`, `lock-unavailable`, `corrupt`,
 * `segment-out-of-place`, `records-missing`, `mark-damaged`, `disk-full` or `write-failed`, and has then changed no
 * record.
 */
export async function openJournal<T>(settings: JournalSettings<T>): Promise<Journal<T>> {
  const { folder, createId = randomUUID } = settings;
  try {
    await createFolder(folder);
    const lock = await lockForWriting(folder, createId());
    try {
      return await openLocked(settings, createId, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (cause) {
    if (cause instanceof JournalError || systemCodeOf(cause) === undefined) throw cause;
    throw new JournalError('folder-unusable', { detail: systemCodeOf(cause), cause });
  }
}

async function openLocked<T>(
  { folder, form, segmentBytes = DEFAULT_SEGMENT_BYTES, makeDurable = dataSync }: JournalSettings<T>,
  createId: () => string,
  lock: WriterLock,
): Promise<Journal<T>> {
  const mark = await beginWhereEmpty(folder, createId);
  try {
    const found = await recover(folder, await listSegments(folder), await mark.read());
    const removed = uploadedSegments(found.segments, found.uploaded.position.seq);
    const recovered = { ...found, segments: found.segments.filter((segment) => !removed.includes(segment)) };
    await removeSegments(folder, removed);
    const writer = await SegmentWriter.open(folder, lastOf(recovered.segments), makeDurable);
    return new Journal({ folder, form, segmentBytes, makeDurable, lock, mark, writer, recovered });
  } catch (error) {
    await mark.close();
    throw error;
  }
}

/** Opens the mark; where there are neither records nor anything that was uploaded, a new journal begins. */
async function beginWhereEmpty(folder: string, createId: () => string): Promise<UploadedMark> {
  const empty = (await listSegments(folder)).length === 0;
  const mark = await UploadedMark.open(folder);
  if (!empty) {
    if (mark === undefined) throw new JournalError('mark-damaged', { file: MARK_FILE, detail: 'missing' });
    return mark;
  }
  const uploaded = mark === undefined ? 0 : await uploadedSeq(mark);
  if (uploaded > 0) throw new JournalError('records-missing', { detail: 'no segment' });
  const journalId = createId();
  if (!isJournalId(journalId)) throw new TypeError('createId gives 1 to 64 letters, digits or hyphens');
  // The mark first: a crash between the two leaves a mark of nothing, which is begun anew.
  await UploadedMark.create(folder, chainGenesis(journalId));
  await createSegment(folder, journalId, chainGenesis(journalId));
  const created = await UploadedMark.open(folder);
  if (created === undefined) throw new JournalError('mark-damaged', { file: MARK_FILE, detail: 'missing' });
  return created;
}

async function uploadedSeq(mark: UploadedMark): Promise<number> {
  try {
    return (await mark.read()).seq;
  } finally {
    await mark.close();
  }
}

function lastOf<Item>(items: readonly Item[]): Item {
  const last = items.at(-1);
  if (last === undefined) throw new JournalError('records-missing', { detail: 'no segment' });
  return last;
}
