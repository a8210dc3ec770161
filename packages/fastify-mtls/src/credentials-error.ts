export type CredentialsErrorCode =
  | 'unreadable'
  | 'malformed'
  | 'key-mismatch'
  | 'broken-chain'
  | 'not-an-authority'
  | 'authority-as-peer'
  | 'no-spiffe-id'
  | 'several-uri-sans'
  | 'malformed-spiffe-id'
  | 'identity-changed';

/** The certificate, key and roots on disk cannot be used. The message names the file and says what to do. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
  readonly code: CredentialsErrorCode;

  constructor(code: CredentialsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
