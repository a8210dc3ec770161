/**
 * Every reason for which a proof, a note, a checkpoint or a record is refused, with the sentence that says what it
 * means for who reads it. None of the sentences holds anything of the input, so that they may be sent to anyone.
 */
export const LEDGER_ERRORS = {
  // Merkle tree
  'malformed-hash': 'A hash of the log is exactly 32 bytes; the text or bytes given are something else.',
  'malformed-size': 'A tree size or leaf index is a whole number from 0 to 2^53 - 1.',
  'malformed-frontier': 'The stored frontier is damaged; rebuild it from the leaf hashes of the log.',
  'range-outside-tree': 'The tree has fewer leaves than were asked about; ask for a leaf or size that it has.',
  'proof-length': 'The proof has too few or too many hashes for these sizes; refuse whoever sent it.',
  'wrong-root': 'The proof does not lead to the root of the tree; refuse whoever sent it.',
  'wrong-older-root': 'The proof does not lead to the older root: history was rewritten, or the proof is bad.',
  // signed notes
  'malformed-note': 'A signed note is text, an empty line, and 1 to 100 signature lines, each with its line break.',
  'malformed-key': 'A key is written NAME+HASH+BASE64, with PRIVATE+KEY+ before it for a signer; copy it anew.',
  'ambiguous-key': 'Two verifier keys share a name and a hash; remove one from the list.',
  'no-known-signature': 'None of the signatures is by a known key; check the list of verifier keys.',
  'wrong-signature': 'A signature by a known key does not fit the text; refuse whoever sent it.',
  // checkpoints
  'malformed-checkpoint': 'A checkpoint is an origin, a size and a root hash, a line each; refuse whoever sent it.',
  'wrong-origin': 'The checkpoint is of another log; check which log this peer is told to follow.',
  'checkpoint-backwards': 'The checkpoint is older than one that was already seen: the log was rolled back or cut.',
  'checkpoint-fork': 'Two checkpoints of the same size have different roots: the log was rewritten. Keep both notes.',
  'malformed-memory': 'The remembered checkpoint is damaged; restore it from a copy before trusting the log again.',
  // records
  'malformed-record': 'The record does not have the form of an issuance record; the detail names the part.',
} as const satisfies Readonly<Record<string, string>>;

export type LedgerErrorCode = keyof typeof LEDGER_ERRORS;

/** Something of the log is refused. `detail` says what it was; it never holds a key. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerErrorCode;
  readonly detail: string | undefined;

  constructor(code: LedgerErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? LEDGER_ERRORS[code] : `${LEDGER_ERRORS[code]} (${detail})`, options);
    this.code = code;
    this.detail = detail;
  }
}
