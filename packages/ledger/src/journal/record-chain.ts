import { createHash } from 'node:crypto';

/** Where the chain of records stands after record `seq`: every record before is part of `hash`. */
export interface ChainPosition {
  /** The number of the last record, 0 before the first one. */
  readonly seq: number;
  /** Lower-case hex of a SHA-256. */
  readonly hash: string;
}

export interface ChainedLine extends ChainPosition {
  readonly payload: string;
}

// The form is versioned by its first line, so that no hash of another version can ever equal one of this.
const GENESIS = 'sigv4-keyd-journal/1 ';
const LINE = /^([1-9][0-9]{0,15}) ([0-9a-f]{64}) (.+)$/s;

/** Where the chain of a new journal begins. Its id is part of it: two journals never have a hash in common. */
export function chainGenesis(journalId: string): ChainPosition {
  return { seq: 0, hash: createHash('sha256').update(GENESIS).update(journalId).digest('hex') };
}

/** The next record of the chain: hash = SHA-256(previous hash || SEQ || " " || payload). */
export function chainNext(previous: ChainPosition, payload: string): ChainedLine {
  const seq = previous.seq + 1;
  const hash = createHash('sha256')
    .update(Buffer.from(previous.hash, 'hex'))
    .update(`${seq} `)
    .update(payload)
    .digest('hex');
  return { seq, hash, payload };
}

/** `SEQ HASH PAYLOAD` and a line break. */
export function formatLine({ seq, hash, payload }: ChainedLine): string {
  return `${seq} ${hash} ${payload}\n`;
}

/** A line, without its line break, as the record that follows `previous`; undefined when it is not exactly that. */
export function parseLine(line: string, previous: ChainPosition): ChainedLine | undefined {
  const [, seq, hash, payload] = LINE.exec(line) ?? [];
  if (payload === undefined) return undefined;
  const next = chainNext(previous, payload);
  return seq === String(next.seq) && hash === next.hash ? next : undefined;
}
