/** Why a request was not signed, each with what to do about it. */
export const SIGNING_ERRORS = {
  'credentials-missing': 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give credentials.',
  'header-not-ascii': 'Percent-encode the value of this header: bytes above ASCII change on their way.',
  'stream-too-long':
    'Give a body whose hash can be read before it is sent (a Blob, such as from fs.openAsBlob), its Content-Length ' +
    "with payload: 'chunked', or a larger longestHeldStream.",
  'not-replayable': 'Give a body that can be sent twice, such as a Buffer or a Blob: this one was a stream.',
  'too-many-redirects': 'Ask for the last location itself.',
} as const satisfies Readonly<Record<string, string>>;

export type SigningErrorCode = keyof typeof SIGNING_ERRORS;

/** A request could not be signed; nothing of it was sent, or nothing more. */
export class SigningError extends Error {
  override readonly name = 'SigningError';
  readonly code: SigningErrorCode;

  constructor(code: SigningErrorCode, detail?: string) {
    super(detail === undefined ? SIGNING_ERRORS[code] : `${detail}: ${SIGNING_ERRORS[code]}`);
    this.code = code;
  }
}
