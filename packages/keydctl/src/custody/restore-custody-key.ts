import type { KeyObject } from 'node:crypto';
import {
  parseWrappedCustodyKey,
  publicHalfOf,
  unwrapCustodyKey,
  WrapBroken,
  type WrappedCustodyKey,
} from '@sigv4-keyd/hop-protocol';
import { placeFiles } from '@sigv4-keyd/pki';
import { CommandError } from '../command-line/command-error.js';

/** The lines of a file with wrapped custody keys: the one that is wanted, for this recovery key. */
export function chooseWrapped(
  text: string,
  { recoveryKey, custodyKeyId }: { readonly recoveryKey: KeyObject; readonly custodyKeyId: string | undefined },
): WrappedCustodyKey {
  const lines = text.split('\n').map((line) => line.trim());
  const wrapped = lines.filter((line) => line !== '').map(readLine);
  const { id } = publicHalfOf(recoveryKey);
  const ours = wrapped.filter(({ recoveryKeyId }) => recoveryKeyId === id);
  const fitting = ours.filter((one) => custodyKeyId === undefined || one.custodyKeyId === custodyKeyId);
  const [first, second] = fitting;
  if (first && !second) return first;
  const ids = ours.map((one) => one.custodyKeyId).join(', ');
  if (first) throw refused(`several custody keys are wrapped here: ${ids}`, 'Say which one: --custody-key ID');
  if (ours.length === 0) {
    throw refused(`no custody key is wrapped here for recovery key ${id}`, 'Give the lines of that recovery key');
  }
  throw refused(`custody key ${custodyKeyId ?? ''} is not wrapped here`, `There are: ${ids}`);
}

/** Writes the custody key to a new file, 0600. */
export async function restoreCustodyKey(
  wrapped: WrappedCustodyKey,
  recoveryKey: KeyObject,
  file: string,
): Promise<void> {
  const key = unwrapped(wrapped, recoveryKey).export();
  try {
    await placeFiles([{ file, contents: `${key.toString('base64')}\n`, mode: 0o600 }], 'new');
  } finally {
    key.fill(0);
  }
}

function unwrapped(wrapped: WrappedCustodyKey, recoveryKey: KeyObject): KeyObject {
  try {
    return unwrapCustodyKey(wrapped, recoveryKey);
  } catch (error) {
    if (!(error instanceof WrapBroken)) throw error;
    throw refused(error.message, 'Take the line from a backup of the database');
  }
}

function readLine(line: string, index: number): WrappedCustodyKey {
  const wrapped = parseWrappedCustodyKey(line);
  if (wrapped) return wrapped;
  const next = 'Each line begins with keyd-custody-recovery.1; keydctl custody recovery show prints them';
  throw refused(`line ${index + 1} is no wrapped custody key`, next);
}

function refused(message: string, next: string): CommandError {
  return new CommandError('failed', 'recovery-refused', message, next);
}
