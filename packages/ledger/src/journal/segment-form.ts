import type { ChainPosition } from './record-chain.js';

/** The first line of a segment: which journal it is of, and where the chain stood before its first record. */
export interface SegmentHeader {
  readonly journalId: string;
  readonly before: ChainPosition;
}

const HEADER = /^sigv4-keyd-journal\/1 ([A-Za-z0-9-]{1,64}) (0|[1-9][0-9]{0,15}) ([0-9a-f]{64})$/;
const FILE = /^journal-([0-9]{16})\.log$/;

/** A segment is created under this name and renamed once its header is on disk. */
export const UNFINISHED_SEGMENT = 'journal-unfinished.new';

export function isJournalId(text: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(text);
}

export function formatHeader({ journalId, before }: SegmentHeader): string {
  return `sigv4-keyd-journal/1 ${journalId} ${before.seq} ${before.hash}\n`;
}

export function parseHeader(line: string): SegmentHeader | undefined {
  const [, journalId, seq, hash] = HEADER.exec(line) ?? [];
  if (journalId === undefined || seq === undefined || hash === undefined) return undefined;
  return { journalId, before: { seq: Number(seq), hash } };
}

/** The name of the segment whose first record has the number `firstSeq`. */
export function segmentFile(firstSeq: number): string {
  return `journal-${String(firstSeq).padStart(16, '0')}.log`;
}

/** The number of the first record of a segment, by its name. */
export function firstSeqOf(file: string): number | undefined {
  const digits = FILE.exec(file)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
