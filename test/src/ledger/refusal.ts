import { JournalError, LedgerError } from '@sigv4-keyd/ledger';

/** The code of the error that a task is refused with, or `accepted`. */
export function refusalOf(task: () => unknown): string {
  try {
    task();
    return 'accepted';
  } catch (error) {
    return codeOf(error);
  }
}

export async function laterRefusalOf(task: () => Promise<unknown>): Promise<string> {
  try {
    await task();
    return 'accepted';
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof LedgerError || error instanceof JournalError) return error.code;
  throw error;
}
