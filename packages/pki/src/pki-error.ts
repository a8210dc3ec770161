export type PkiErrorCode =
  | 'exists'
  | 'renewed-meanwhile'
  | 'unreadable'
  | 'malformed'
  | 'key-mismatch'
  | 'not-an-authority'
  | 'authority-expired'
  | 'wrong-trust-domain'
  | 'malformed-trust-domain'
  | 'malformed-spiffe-id'
  | 'malformed-host-name'
  | 'malformed-lifetime'
  | 'malformed-file-name'
  | 'no-spiffe-id'
  | 'several-uri-sans'
  | 'identity-mismatch'
  | 'unsupported-name'
  | 'unsupported-key'
  | 'weak-key'
  | 'unsupported-signature'
  | 'no-proof-of-possession';

/** The message says what is wrong with which file or argument, and what to do next. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
  readonly code: PkiErrorCode;

  constructor(code: PkiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
