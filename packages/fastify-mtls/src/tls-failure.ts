import { MtlsClientError, type MtlsClientErrorCode } from './mtls-client-error.js';

interface Explanation {
  readonly code: MtlsClientErrorCode;
  readonly text: string;
}

const WITHOUT_TLS13: Explanation = { code: 'server-without-tls13', text: 'the server does not speak TLS 1.3' };
const UNTRUSTED: Explanation = {
  code: 'server-untrusted',
  text: "the server's certificate was not issued by an authority of our ca file",
};

// The codes of Node (X509_V_ERR_..., without the prefix) and of OpenSSL that have a meaning of their own here.
const EXPLANATIONS: ReadonlyMap<string, Explanation> = new Map([
  ['CERT_HAS_EXPIRED', { code: 'server-certificate-expired', text: "the server's certificate has expired" }],
  [
    'CERT_NOT_YET_VALID',
    { code: 'server-certificate-not-yet-valid', text: "the server's certificate is not valid yet: check both clocks" },
  ],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  ['CERT_SIGNATURE_FAILURE', UNTRUSTED],
  ['CERT_CHAIN_TOO_LONG', UNTRUSTED],
  ['PATH_LENGTH_EXCEEDED', UNTRUSTED],
  ['INVALID_CA', UNTRUSTED],
  ['INVALID_PURPOSE', UNTRUSTED],
  ['CERT_UNTRUSTED', UNTRUSTED],
  ['CERT_REJECTED', UNTRUSTED],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', WITHOUT_TLS13],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', WITHOUT_TLS13],
]);

// In TLS 1.3 a server judges our certificate after our handshake is complete: its refusal comes as an alert, in the
// middle of the first request.
const CLIENT_REFUSED = /_ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/;

/** Says in our terms what Node and OpenSSL say of a failed handshake; every other error stays as it is. */
export function explainTlsFailure(error: Error): Error {
  const code = 'code' in error ? String(error.code) : '';
  const explanation = EXPLANATIONS.get(code) ?? explainAlert(code);
  if (explanation === undefined || error instanceof MtlsClientError) return error;
  return new MtlsClientError(explanation.code, `${explanation.text} (${code})`, { cause: error });
}

function explainAlert(code: string): Explanation | undefined {
  if (CLIENT_REFUSED.test(code)) {
    return { code: 'client-certificate-refused', text: 'the server does not accept our certificate' };
  }
  // EPROTO is what Node calls an alert that it meets while writing.
  const failed = code === 'EPROTO' || code.startsWith('ERR_SSL_');
  return failed ? { code: 'handshake-failed', text: 'the TLS handshake failed' } : undefined;
}
