export type MtlsClientErrorCode =
  | 'not-https'
  | 'server-untrusted'
  | 'server-certificate-expired'
  | 'server-certificate-not-yet-valid'
  | 'server-without-spiffe-id'
  | 'server-identity-refused'
  | 'server-host-mismatch'
  | 'server-without-tls13'
  | 'client-certificate-refused'
  | 'handshake-failed';

/** No connection with a server that may be trusted. The message says what was expected and what came. */
export class MtlsClientError extends Error {
  override readonly name = 'MtlsClientError';
  readonly code: MtlsClientErrorCode;

  constructor(code: MtlsClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
