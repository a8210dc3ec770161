/** Every reason for which the journal cannot go on, with the sentence that says what to do. */
export const JOURNAL_ERRORS = {
  corrupt:
    'The journal was changed or damaged after it was written. Nothing was altered now: keep the folder as evidence, ' +
    'compare it with what the tier above has received, and begin a new journal in an empty folder.',
  'segment-out-of-place': 'A file is not the segment that its name says: remove copies, and put back what was renamed.',
  'records-missing':
    'Records that were here are gone: a segment was removed or cut, or the folder is an older copy. Put back what is ' +
    'missing, or treat the journal as tampered with.',
  'mark-damaged': 'The mark of what was uploaded is damaged: restore it, or treat the journal as tampered with.',
  'folder-unusable': 'The folder of the journal cannot be used: give this user a folder of its own to write in.',
  locked: 'Another process writes this journal: stop it first. Two writers never share a folder.',
  'lock-unavailable': 'The folder cannot hold the socket that keeps out a second writer: use a local file system.',
  'disk-full': 'No space is left for the record, so that nothing was released: free space; later appends may succeed.',
  'write-failed': 'The disk failed while writing: nothing more is taken until the journal is opened again.',
  'record-too-large': 'The record is larger than a journal takes: split it.',
  'not-recorded': 'There is no record of this number, or it was uploaded and removed.',
  closed: 'The journal is closed.',
} as const satisfies Readonly<Record<string, string>>;

export type JournalErrorCode = keyof typeof JOURNAL_ERRORS;

export interface JournalErrorPlace {
  /** The file's name inside the journal's folder. */
  readonly file?: string | undefined;
  /** Bytes from the beginning of the file. */
  readonly offset?: number | undefined;
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly code: JournalErrorCode;
  readonly file: string | undefined;
  readonly offset: number | undefined;

  constructor(code: JournalErrorCode, { file, offset, detail, cause }: JournalErrorPlace = {}) {
    const place = [file, offset === undefined ? undefined : `byte ${offset}`, detail].filter(
      (part) => part !== undefined,
    );
    super(place.length === 0 ? JOURNAL_ERRORS[code] : `${JOURNAL_ERRORS[code]} (${place.join(', ')})`, { cause });
    this.code = code;
    this.file = file;
    this.offset = offset;
  }
}

/** The system's code of a failed call, such as ENOENT. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
