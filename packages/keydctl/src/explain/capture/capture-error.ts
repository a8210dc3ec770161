import { CommandError } from '../../command-line/command-error.js';

/** What was given is no recording of a request. Nothing of it is quoted: it may hold tokens. */
export function captureError(message: string, next: string): CommandError {
  return new CommandError('failed', 'unreadable-capture', message, next);
}
