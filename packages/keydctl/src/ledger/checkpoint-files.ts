import { readFile } from 'node:fs/promises';
import { ledgerOrigin } from '@sigv4-keyd/hop-protocol';
import {
  LedgerError,
  openCheckpoint,
  parseVerifierKey,
  type LogIdentity,
  type OpenedCheckpoint,
} from '@sigv4-keyd/ledger';
import { placeFiles } from '@sigv4-keyd/pki';
import { CommandError } from '../command-line/command-error.js';

/** Reads the file of verifier keys, one a line. */
export async function readLogIdentity(file: string, trustDomain: string): Promise<LogIdentity> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const origin = ledgerOrigin(trustDomain);
  const verifiers = refusing(`the ledger key ${file}`, () => lines.map((line) => parseVerifierKey(line.trim())));
  if (verifiers.some(({ name }) => name === origin)) return { origin, verifiers };
  const message = `${file} has no key of the ledger ${origin}`;
  throw new CommandError('failed', 'malformed-key', message, 'Give the ledger.pub that the masters have the key of');
}

/** Opens a signed checkpoint; `name` says whose it is where it is refused. */
export function openNamed(name: string, note: string, log: LogIdentity): OpenedCheckpoint {
  return refusing(name, () => openCheckpoint(note, log));
}

/** Undefined where there is no such file. */
export async function readCheckpoint(file: string, log: LogIdentity): Promise<OpenedCheckpoint | undefined> {
  try {
    return openNamed(`the checkpoint in ${file}`, await readFile(file, 'utf8'), log);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export function saveCheckpoint(file: string, { note }: OpenedCheckpoint): Promise<void> {
  return placeFiles([{ file, contents: note, mode: 0o644 }], 'replacing');
}

function refusing<Result>(name: string, open: () => Result): Result {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const next = 'Do not trust the ledger before this is explained';
    throw new CommandError('failed', error.code, `${name}: ${error.message}`, next, { cause: error });
  }
}
