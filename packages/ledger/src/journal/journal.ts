import { GroupCommit } from './group-commit.js';
import { JournalError } from './journal-error.js';
import { chainNext, formatLine, type ChainedLine, type ChainPosition } from './record-chain.js';
import type { Recovered, TornRecord } from './recovery.js';
import { removeSegments, uploadedSegments } from './remove-uploaded.js';
import { createSegment, SegmentWriter, type MakeDurable } from './segment-writer.js';
import { LONGEST_LINE_BYTES, startOf, type Cursor, type Segment } from './segment.js';
import type { UploadedMark } from './uploaded-mark.js';
import { walkRecords, type JournalExtent, type WalkedRecord } from './walk.js';
import type { WriterLock } from './writer-lock.js';

/** How records are written: as one line of text without a line break. Both directions throw on what is no record. */
export interface RecordForm<T> {
  encode(record: T): string;
  decode(text: string): T;
}

export interface JournalEntry<T> extends ChainPosition {
  readonly record: T;
}

/** What a journal is made of once its folder was locked and recovered. */
export interface JournalParts<T> {
  readonly folder: string;
  readonly form: RecordForm<T>;
  readonly segmentBytes: number;
  readonly makeDurable: MakeDurable;
  readonly lock: WriterLock;
  readonly mark: UploadedMark;
  readonly recovered: Recovered;
  readonly writer: SegmentWriter;
}

// A line is the payload after a number of 16 digits at most, a hash and two spaces, and before a line break.
const LINE_FRAME_BYTES = 16 + 1 + 64 + 1 + 1;

/**
 * An append-only journal of records in a folder of its own, made for "recorded before released": what `append` answered
 * is on disk. Records form a hash chain over all segments; those that were uploaded are removed a segment at a time.
 */
export class Journal<T> {
  readonly #parts: JournalParts<T>;
  readonly #commits: GroupCommit<ChainPosition>;
  #writer: SegmentWriter;
  /** The segments before the one that is written. */
  #earlier: readonly Segment[];
  #end: ChainPosition;
  #uploaded: Cursor;
  #marking: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: JournalParts<T>) {
    this.#parts = parts;
    this.#writer = parts.writer;
    this.#earlier = parts.recovered.segments.slice(0, -1);
    this.#end = parts.recovered.end;
    this.#uploaded = parts.recovered.uploaded;
    this.#commits = new GroupCommit((payloads) => this.#commit(payloads));
  }

  /** Random, made when the folder was first used: a journal that begins anew has another one. */
  get id(): string {
    return this.#parts.recovered.journalId;
  }

  /** The record that a crash tore and that was cut off on opening, for the log; it was never acknowledged. */
  get torn(): TornRecord | undefined {
    return this.#parts.recovered.torn;
  }

  /** The last durable record; seq 0 when there is none yet. */
  get end(): ChainPosition {
    return this.#end;
  }

  /** The last record that was marked as uploaded. */
  get uploaded(): ChainPosition {
    return this.#uploaded.position;
  }

  /**
   * Resolves once the record is durable. Rejects with JournalError `disk-full` (nothing of it is left; a later append
   * may succeed), `write-failed` (open the journal again), `record-too-large` or `closed`, and with whatever the form's
   * `encode` throws.
   */
  async append(record: T): Promise<ChainPosition> {
    if (this.#closing !== undefined) throw new JournalError('closed');
    const payload = this.#parts.form.encode(record);
    if (payload === '' || payload.includes('\n')) throw new TypeError('a record form gives one line that is not empty');
    const bytes = Buffer.byteLength(payload) + LINE_FRAME_BYTES;
    if (bytes > LONGEST_LINE_BYTES) throw new JournalError('record-too-large', { detail: `${bytes} bytes` });
    return this.#commits.add(payload);
  }

  /**
   * The durable records from number `seq` on, verified again as they are read, up to the last one at the time that it
   * is reached. Throws JournalError `not-recorded` for a number that was removed or is beyond the next one.
   */
  async *readFrom(seq: number): AsyncGenerator<JournalEntry<T>> {
    for await (const { record } of this.#walk(seq)) {
      if (record.seq < seq) continue;
      yield { seq: record.seq, hash: record.hash, record: this.#parts.form.decode(record.payload) };
    }
  }

  /**
   * Marks everything up to record `seq` as uploaded, durably, and removes the segments that then hold nothing else. A
   * number that was marked before changes nothing. Throws JournalError `not-recorded` for one that does not exist.
   */
  markUploaded(seq: number): Promise<void> {
    const marked = this.#marking.then(() => this.#markUploaded(seq));
    this.#marking = marked.catch(() => undefined);
    return marked;
  }

  /** Waits for the appends under way, refuses later ones, and lets another writer in. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #commit(payloads: readonly string[]): Promise<readonly ChainPosition[]> {
    if (this.#writer.segment.size >= this.#parts.segmentBytes) await this.#beginSegment();
    const lines: ChainedLine[] = [];
    let end = this.#end;
    for (const payload of payloads) {
      const line = chainNext(end, payload);
      lines.push(line);
      end = line;
    }
    // The chain goes on only from what is durable: after a failure the same numbers are given again.
    await this.#writer.append(lines.map(formatLine).join(''));
    const positions = lines.map(({ seq, hash }): ChainPosition => ({ seq, hash }));
    this.#end = positions.at(-1) ?? this.#end;
    return positions;
  }

  async #beginSegment(): Promise<void> {
    const { folder, makeDurable } = this.#parts;
    const full = this.#writer;
    const segment = await createSegment(folder, this.id, this.#end);
    this.#writer = await SegmentWriter.open(folder, segment, makeDurable);
    this.#earlier = [...this.#earlier, full.segment];
    await full.close();
  }

  async #markUploaded(seq: number): Promise<void> {
    if (this.#closing !== undefined) throw new JournalError('closed');
    if (seq <= this.#uploaded.position.seq) return;
    const uploaded = await this.#cursorAfter(seq);
    await this.#parts.mark.write(uploaded.position);
    this.#uploaded = uploaded;
    // Whatever is appended meanwhile grows other segments than these.
    const removed = uploadedSegments(this.#segments(), seq);
    this.#earlier = this.#earlier.filter((segment) => !removed.includes(segment));
    await removeSegments(this.#parts.folder, removed);
  }

  async #cursorAfter(seq: number): Promise<Cursor> {
    for await (const { record, cursor } of this.#walk(seq)) if (record.seq === seq) return cursor;
    throw new JournalError('not-recorded', { detail: `record ${seq}` });
  }

  #segments(): readonly Segment[] {
    return [...this.#earlier, this.#writer.segment];
  }

  /** The nearest known place before record `seq`. */
  #cursorBefore(seq: number): Cursor {
    const segment = this.#segments().findLast(({ before }) => before.seq < seq);
    if (segment === undefined || seq > this.#end.seq + 1) {
      throw new JournalError('not-recorded', { detail: `record ${seq}` });
    }
    const uploaded = this.#uploaded.position.seq;
    return uploaded < seq && uploaded > segment.before.seq ? this.#uploaded : startOf(segment);
  }

  #walk(seq: number): AsyncGenerator<WalkedRecord> {
    const extent = (): JournalExtent => ({ segments: this.#segments(), end: this.#end });
    return walkRecords(this.#parts.folder, this.#cursorBefore(seq), extent);
  }

  async #close(): Promise<void> {
    await this.#commits.idle();
    await this.#marking;
    try {
      await this.#writer.close();
      await this.#parts.mark.close();
    } finally {
      await this.#parts.lock.release();
    }
  }
}
