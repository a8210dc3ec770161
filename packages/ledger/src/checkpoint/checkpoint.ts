import { LedgerError } from '../ledger-error.js';
import type { TreeHead } from '../merkle/consistency.js';
import { emptyRoot, formatMerkleHash, parseMerkleHash, sameHash } from '../merkle/merkle-hash.js';
import type { NoteSigner, NoteVerifier } from './note-key.js';
import { openNote, signNote, type NoteSignature } from './signed-note.js';

/** C2SP tlog-checkpoint: what a log says of itself at a size. */
export interface Checkpoint extends TreeHead {
  /** The log's name, such as `keys.example/issuance`. */
  readonly origin: string;
  /** Lines of no meaning here; they are signed with the rest. */
  readonly extensions: readonly string[];
}

const opened: unique symbol = Symbol('opened');

/** A checkpoint whose signature by a key of the log was verified; only `openCheckpoint` makes one. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly [opened]: true;
  /** The whole signed note: the evidence, should the log ever tell someone else another story. */
  readonly note: string;
  readonly verified: readonly NoteSignature[];
}

/** The log to follow: its origin, and the keys that may sign for it (several while a key is rotated). */
export interface LogIdentity {
  readonly origin: string;
  readonly verifiers: readonly NoteVerifier[];
}

/** Signs a checkpoint as a note. Throws LedgerError `malformed-checkpoint` for parts that would not read back. */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(formatCheckpoint(checkpoint), signers);
}

/** Opens a signed checkpoint of one log. Throws as `openNote` and `parseCheckpoint` do, or `wrong-origin`. */
export function openCheckpoint(note: Uint8Array | string, log: LogIdentity): OpenedCheckpoint {
  const { text, verified } = openNote(note, log.verifiers);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== log.origin) throw new LedgerError('wrong-origin');
  return { ...checkpoint, [opened]: true, note: Buffer.from(note).toString(), verified };
}

export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const text = [origin, String(size), formatMerkleHash(root), ...extensions].map((line) => `${line}\n`).join('');
  const lines = parseCheckpoint(text).extensions.length;
  if (lines !== extensions.length) throw new LedgerError('malformed-checkpoint', 'line break in a line');
  return text;
}

/** Reads the text of a checkpoint. Throws LedgerError `malformed-checkpoint`. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new LedgerError('malformed-checkpoint', 'last line');
  const [origin, sizeText, rootText, ...extensions] = lines;
  if (origin === undefined || sizeText === undefined || rootText === undefined) {
    throw new LedgerError('malformed-checkpoint', 'too few lines');
  }
  if (origin === '' || extensions.includes('')) throw new LedgerError('malformed-checkpoint', 'empty line');
  const size = Number(sizeText);
  if (!/^(?:0|[1-9][0-9]*)$/.test(sizeText) || !Number.isSafeInteger(size)) {
    throw new LedgerError('malformed-checkpoint', 'size');
  }
  const root = parseMerkleHash(rootText);
  if (root === undefined) throw new LedgerError('malformed-checkpoint', 'root hash');
  if (size === 0 && !sameHash(root, emptyRoot())) {
    throw new LedgerError('malformed-checkpoint', 'root of an empty log');
  }
  return { origin, size, root, extensions };
}
