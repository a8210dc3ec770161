import { LedgerError } from '../ledger-error.js';
import { formatKeyId, isNoteKeyName, type NoteSigner, type NoteVerifier } from './note-key.js';

/** One signature line: `— NAME BASE64(key id || signature)`. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  readonly base64: string;
}

/** A note of which at least one signature was verified. */
export interface OpenedNote {
  /** The signed text, its last line break included. */
  readonly text: string;
  readonly verified: readonly NoteSignature[];
  /** By keys that are not known here, such as witnesses': they say nothing, but are passed on. */
  readonly unknown: readonly NoteSignature[];
}

/** A note taken apart; nothing of it is verified. */
export interface ParsedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const MOST_SIGNATURES = 100;
const LONGEST_NOTE_BYTES = 1_048_576;
const SIGNATURE_PREFIX = '\u2014 ';
const KEY_ID_BYTES = 4;
// C2SP signed-note, "Format": the control characters below U+0020 but the line break.
const CONTROL = /[^\P{Cc}\n\u007f-\u009f]/u;

/**
 * Opens a signed note: every signature by a known key must be right, and there must be one. Throws LedgerError
 * `malformed-note`, `ambiguous-key`, `wrong-signature` or `no-known-signature`.
 */
export function openNote(note: Uint8Array | string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const signed = Buffer.from(text);
  const verified = new Map<string, NoteSignature>();
  const unknown = new Map<string, NoteSignature>();
  for (const signature of signatures) {
    const verifier = verifierOf(signature, verifiers);
    if (verifier === undefined) {
      unknown.set(formatSignature(signature), signature);
      continue;
    }
    // Repeated signatures of one key count once, as in Go's implementation, but each is checked.
    if (!verifier.verify(signed, signatureBytes(signature.base64).subarray(KEY_ID_BYTES))) {
      throw new LedgerError('wrong-signature', keyOf(signature));
    }
    const key = keyOf(signature);
    if (!verified.has(key)) verified.set(key, signature);
  }
  if (verified.size === 0) throw new LedgerError('no-known-signature');
  return { text, verified: [...verified.values()], unknown: [...unknown.values()] };
}

/**
 * Signs a text, which ends in a line break, after the signatures that it bears already (a cosigner passes those of the
 * opened note). An earlier signature by the same key is replaced.
 */
export function signNote(text: string, signers: readonly NoteSigner[], earlier: readonly NoteSignature[] = []): string {
  const bytes = Buffer.from(text);
  const ours = signers.map((signer): NoteSignature => {
    const { name, keyId } = signer;
    const id = Buffer.alloc(KEY_ID_BYTES);
    id.writeUInt32BE(keyId);
    return { name, keyId, base64: Buffer.concat([id, signer.sign(bytes)]).toString('base64') };
  });
  const replaced = new Set(ours.map(keyOf));
  const kept = earlier.filter((signature) => !replaced.has(keyOf(signature)));
  const note = `${text}\n${[...kept, ...ours].map(formatSignature).join('')}`;
  // What is signed here can be opened anywhere: the text is held to the same rules as one that arrives.
  if (parseNote(note).text !== text) throw new LedgerError('malformed-note', 'text');
  return note;
}

/** Takes a note apart without verifying it. Throws LedgerError `malformed-note`. */
export function parseNote(note: Uint8Array | string): ParsedNote {
  const content = decodeNote(note);
  if (CONTROL.test(content)) throw new LedgerError('malformed-note', 'control character');
  const split = content.lastIndexOf('\n\n');
  if (split < 0) throw new LedgerError('malformed-note', 'no signatures');
  const lines = content.slice(split + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0) throw new LedgerError('malformed-note', 'last line');
  if (lines.length > MOST_SIGNATURES) throw new LedgerError('malformed-note', 'too many signatures');
  return { text: content.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

function decodeNote(note: Uint8Array | string): string {
  const bytes = typeof note === 'string' ? Buffer.from(note) : note;
  if (bytes.length > LONGEST_NOTE_BYTES) throw new LedgerError('malformed-note', 'too long');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new LedgerError('malformed-note', 'not UTF-8', { cause });
  }
}

function parseSignature(line: string): NoteSignature {
  if (!line.startsWith(SIGNATURE_PREFIX)) throw new LedgerError('malformed-note', 'signature line');
  const [name, base64, ...rest] = line.slice(SIGNATURE_PREFIX.length).split(' ');
  if (name === undefined || base64 === undefined || rest.length > 0 || !isNoteKeyName(name)) {
    throw new LedgerError('malformed-note', 'signature line');
  }
  const bytes = signatureBytes(base64);
  if (bytes.length <= KEY_ID_BYTES) throw new LedgerError('malformed-note', 'signature line');
  return { name, keyId: bytes.readUInt32BE(0), base64 };
}

function signatureBytes(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw new LedgerError('malformed-note', 'base64 of a signature');
  return bytes;
}

function verifierOf({ name, keyId }: NoteSignature, verifiers: readonly NoteVerifier[]): NoteVerifier | undefined {
  const [verifier, ...others] = verifiers.filter((known) => known.name === name && known.keyId === keyId);
  if (others.length > 0) throw new LedgerError('ambiguous-key', `${name}+${formatKeyId(keyId)}`);
  return verifier;
}

function keyOf({ name, keyId }: NoteSignature): string {
  return `${name}+${formatKeyId(keyId)}`;
}

function formatSignature({ name, base64 }: NoteSignature): string {
  return `${SIGNATURE_PREFIX}${name} ${base64}\n`;
}
