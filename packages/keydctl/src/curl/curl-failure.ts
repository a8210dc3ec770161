import { SigningError } from '@sigv4-keyd/sigv4-client';

/** The exit codes of `keydctl curl`: those of curl, for scripts that know them. */
export const CURL_EXITS = {
  usage: [2, 'the command line is wrong, or the request cannot be signed'],
  url: [3, 'the URL is malformed'],
  resolve: [6, 'the host cannot be resolved'],
  connect: [7, 'no connection to the host'],
  partial: [18, 'the answer broke off'],
  refused: [22, 'the status is 400 or above, with --fail'],
  write: [23, 'the answer cannot be written'],
  read: [26, 'the body cannot be read'],
  timeout: [28, 'it took longer than --max-time'],
  tls: [35, 'TLS failed'],
  silent: [52, 'the connection ended without an answer'],
  certificate: [60, "the server's certificate cannot be trusted"],
} as const satisfies Readonly<Record<string, readonly [code: number, meaning: string]>>;

export type CurlEnding = keyof typeof CURL_EXITS;

/** A request that did not end well. `message` says what, `next` what to do. */
export class CurlFailure extends Error {
  override readonly name = 'CurlFailure';
  readonly ending: CurlEnding;
  readonly next: string;

  constructor(ending: CurlEnding, message: string, next: string, options?: ErrorOptions) {
    super(message, options);
    this.ending = ending;
    this.next = next;
  }

  get exitCode(): number {
    return CURL_EXITS[this.ending][0];
  }
}

const ENDINGS: Readonly<Record<string, CurlEnding>> = {
  EAI_AGAIN: 'resolve',
  ENOTFOUND: 'resolve',
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  ETIMEDOUT: 'connect',
  ECONNRESET: 'silent',
  EPIPE: 'silent',
  EPROTO: 'tls',
};
const CERTIFICATE = /CERT|ISSUER|UNABLE_TO_VERIFY/;

const NEXT: Readonly<Record<CurlEnding, string>> = {
  usage: 'See keydctl curl --help',
  url: 'Give an http or https URL',
  resolve: 'Check the name of the host',
  connect: 'Check that the server runs, and its port',
  partial: 'Try again',
  refused: 'Run it without --fail to see the answer, or give the output of -v to keydctl explain',
  write: 'Check the file of --output',
  read: 'Check the file of the body',
  timeout: 'Give a longer --max-time',
  tls: 'Check that the server speaks TLS on this port',
  silent: 'Check the server',
  certificate: 'Name its certificate authority with --cacert',
};

/** Any failure as one of this command. */
export function curlFailureOf(error: unknown): CurlFailure {
  if (error instanceof CurlFailure) return error;
  const { message, code } = factsOf(error);
  if (error instanceof SigningError) return fail(code === 'stream-too-long' ? 'read' : 'usage', message, error);
  if (error instanceof Error && 'syscall' in error && 'path' in error) return fail('read', message, error);
  if (CERTIFICATE.test(code)) return fail('certificate', message, error);
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) return fail('tls', message, error);
  return fail(ENDINGS[code] ?? 'usage', message, error);
}

/** A failure with what to do about it. */
export function fail(ending: CurlEnding, message: string, cause?: unknown): CurlFailure {
  return new CurlFailure(ending, message, NEXT[ending], { cause });
}

/** An error of several attempts to connect has its facts in the first of them. */
function factsOf(error: unknown): { readonly message: string; readonly code: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return factsOf(error.errors[0]);
  if (!(error instanceof Error)) return { message: String(error), code: '' };
  return { message: error.message, code: 'code' in error ? String(error.code) : '' };
}
