/** The stack cannot start or go on; the message says why, and what to do. */
export class StackError extends Error {
  override readonly name = 'StackError';
}
