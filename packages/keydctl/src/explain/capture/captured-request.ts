/** A request as somebody recorded it. All strings of the request are latin1: one character a byte. */
export interface CapturedRequest {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value. */
  readonly rawHeaders: readonly string[];
  /** Undefined where the recording does not hold it. */
  readonly body: Buffer | undefined;
  /** When it was sent or answered, epoch milliseconds: the server's own word where it is there. */
  readonly at: number | undefined;
  /** Which reason the server gave, in x-keyd-reason. */
  readonly serverReason: string | undefined;
}

/** What is known of an answer in any recording. */
export function fromAnswer(header: (name: string) => string | undefined): Pick<CapturedRequest, 'at' | 'serverReason'> {
  const date = Date.parse(header('date') ?? '');
  return { at: Number.isNaN(date) ? undefined : date, serverReason: header('x-keyd-reason') };
}
