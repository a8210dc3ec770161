import type { Ending } from './exit-code.js';

/** A command cannot do what was asked. `message` is the cause, `next` the step that the operator can take. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly ending: Exclude<Ending, 'ok'>;
  readonly code: string;
  readonly next: string;

  constructor(ending: Exclude<Ending, 'ok'>, code: string, message: string, next: string, options?: ErrorOptions) {
    super(message, options);
    this.ending = ending;
    this.code = code;
    this.next = next;
  }
}

export function usageError(message: string, next: string): CommandError {
  return new CommandError('usage', 'usage', message, next);
}
