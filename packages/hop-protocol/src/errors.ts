/**
 * Every error that one tier answers to another, to the operator or to a tool: its HTTP status and the public sentence,
 * which says what to do. What really happened goes into the log as the cause, never into the answer.
 */
export const ERRORS = {
  'malformed-request': [400, 'The request does not have the form that this route takes; details name the part.'],
  'not-authenticated': [401, 'Present a client certificate of this trust domain with exactly one SPIFFE id.'],
  'role-not-allowed': [403, 'The role in your certificate is not served by this route.'],
  'identity-banned': [403, 'This identity is banned here; ask an operator (keydctl identity list).'],
  'cross-site': [403, 'Browsers may call this from its own console only: open the console by its address.'],
  'date-outside-window': [403, 'Keys are issued for the window of days only; check the clock of both sides.'],
  'no-grant': [403, 'No grant covers this day; an operator gives one: keydctl deputy grant.'],
  'not-found': [404, 'There is nothing of this name; list what there is first.'],
  'already-exists': [409, 'There is one of this name already; nothing was changed.'],
  'wrong-state': [409, 'The present state does not allow this change; details say which state it is in.'],
  'journal-gap': [409, 'Records of the journal are missing before these; details say which one is to come next.'],
  'journal-fork': [409, 'The journal is not the one whose records are held: it was changed or replaced. Keep both.'],
  'too-large': [413, 'The request is larger than this route takes; send it in parts.'],
  'algorithm-not-supported': [422, 'The custody of the secrets cannot derive keys for this algorithm; sign with HMAC.'],
  'too-many-requests': [429, 'The budget of this identity is used up for now; wait and try again.'],
  'internal-error': [500, 'An unexpected error; the log of the service has its cause under the request id.'],
  'custody-unavailable': [503, 'The secrets cannot be opened right now; the log of master-keyd has the cause.'],
  'journal-unavailable': [503, 'What is issued cannot be recorded now, so nothing is released; the log has the cause.'],
  'database-unavailable': [503, 'The database is out of reach right now; try again shortly.'],
  'parent-unavailable': [503, 'The tier above is out of reach right now; try again shortly.'],
  'not-ready': [503, 'The service is starting or stopping; try again shortly.'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

export interface KeydErrorOptions {
  readonly detail?: string;
  readonly cause?: unknown;
  readonly retryAfterSeconds?: number;
}

/** An error with one of the closed set of codes. `message` and `detail` are public, `cause` is for the log alone. */
export class KeydError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  /** Seconds after which it is worth asking again; undefined: nobody knows. */
  readonly retryAfterSeconds: number | undefined;
  override readonly name = 'KeydError';

  constructor(code: ErrorCode, options: KeydErrorOptions = {}) {
    super(ERRORS[code][1], { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get statusCode(): number {
    return ERRORS[this.code][0];
  }
}

/** The code of an error, where it has one of ours. */
export function errorCodeOf(error: unknown): ErrorCode | undefined {
  return error instanceof KeydError ? error.code : undefined;
}
