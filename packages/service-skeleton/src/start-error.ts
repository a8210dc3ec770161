/** A failure at start that an operator can mend; `message` says how. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** 69: something that the service needs is unavailable. 78: the configuration is wrong. As in sysexits.h. */
  readonly exitCode: 69 | 78;

  constructor(message: string, exitCode: 69 | 78, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}
