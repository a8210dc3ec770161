interface ErrorEntry {
  readonly statusCode: 401 | 403 | 500;
  readonly text: string;
}

const unauthenticated = (text: string): ErrorEntry => ({ statusCode: 401, text });
const forbidden = (text: string): ErrorEntry => ({ statusCode: 403, text });

const ERRORS = {
  FST_MTLS_SERVER_NOT_TLS: { statusCode: 500, text: 'create the server by Fastify({ https: serverTlsOptions(...) })' },
  FST_MTLS_ROUTE_UNDECLARED: forbidden('this route does not declare whom it serves'),
  FST_MTLS_NO_CERTIFICATE: unauthenticated('a client certificate is required, over TLS 1.3'),
  FST_MTLS_CERTIFICATE_EXPIRED: unauthenticated('the client certificate has expired: connect with a new one'),
  FST_MTLS_AUTHORITY_WITHDRAWN: unauthenticated(
    'the authority of the client certificate is no longer trusted: connect with a certificate of the present one',
  ),
  FST_MTLS_NO_SPIFFE_ID: unauthenticated('the client certificate has no SPIFFE id'),
  FST_MTLS_SEVERAL_URI_SANS: unauthenticated('the client certificate has more than one URI name'),
  FST_MTLS_MALFORMED_SPIFFE_ID: unauthenticated("the client certificate's URI name is not a SPIFFE id"),
  FST_MTLS_AUTHORITY_AS_PEER: unauthenticated("the client certificate is an authority's: connect with a leaf"),
  FST_MTLS_WRONG_TRUST_DOMAIN: unauthenticated('the client certificate is of another trust domain'),
  FST_MTLS_UNKNOWN_IDENTITY: forbidden('the SPIFFE id of the client certificate has no role here'),
  FST_MTLS_IDENTITY_REFUSED: forbidden('this identity is refused at present: ask an operator'),
  FST_MTLS_WRONG_ROLE: forbidden('this route does not serve the role of the client certificate'),
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type MtlsErrorCode = keyof typeof ERRORS;

/**
 * Thrown to Fastify, whose error handler shapes the answer. `message` may be shown to the peer; `detail` is for the log
 * (the SPIFFE id that came, the reason of a ban).
 */
export class MtlsError extends Error {
  override readonly name = 'MtlsError';
  readonly code: MtlsErrorCode;
  readonly statusCode: number;
  readonly detail: string | undefined;

  constructor(code: MtlsErrorCode, detail?: string, message: string = ERRORS[code].text) {
    super(message);
    this.code = code;
    this.statusCode = ERRORS[code].statusCode;
    this.detail = detail;
  }
}
