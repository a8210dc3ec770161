/**
 * Why a token is of no use. All but `gone` are for an operator to mend; what is `gone` may come back by itself, when
 * the token is opened anew.
 */
export type TokenFailureReason =
  'library-missing' | 'module-unusable' | 'token-absent' | 'pin-refused' | 'keys-unsuitable' | 'gone';

/** `message` says what to do, and has neither the PIN nor a key in it. */
export class TokenFailure extends Error {
  override readonly name = 'TokenFailure';
  readonly reason: TokenFailureReason;

  constructor(reason: TokenFailureReason, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** What is wrapped was changed, moved from another access key, or wrapped by another key. */
export class WrapBroken extends Error {
  override readonly name = 'WrapBroken';
}

/** The number of PKCS#11's return value that an error stands for; undefined where it is no such error. */
export function returnValueOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** `CKR_…`, as pkcs11js has it for a message; the messages of the system's loader likewise. */
export function saidBy(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line;
}
