export type EmbeddedPostgresFault =
  'not-installed' | 'initdb-failed' | 'port-taken' | 'did-not-start' | 'did-not-stop' | 'stopped';

/** A failure of the embedded server; the message says what to do about it. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresFault;

  constructor(code: EmbeddedPostgresFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
