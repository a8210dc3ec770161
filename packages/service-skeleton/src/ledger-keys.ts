import { ledgerOrigin } from '@sigv4-keyd/hop-protocol';
import { LedgerError, parseVerifierKey, type LogIdentity, type NoteVerifier } from '@sigv4-keyd/ledger';
import { z } from 'zod';
import { StartError } from './start-error.js';

/** The public keys that may sign for the ledger, a verifier key a line; several while the key is changed. */
export const ledgerKeys = z
  .string()
  .transform((text, context): readonly NoteVerifier[] => {
    const lines = text.split('\n').map((line) => line.trim());
    try {
      return lines.filter((line) => line !== '').map(parseVerifierKey);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      const message = `must be verifier keys, one a line, as keydctl ledger key makes them: ${error.message}`;
      context.issues.push({ code: 'custom', input: text, message });
      return z.NEVER;
    }
  })
  .describe('Pinned public keys of the ledger: verifier keys; normally given by KEYD_LEDGER_KEYS_FILE');

/**
 * The log of a trust domain and who may sign for it.
 * @throws StartError
 */
export function pinnedLedger(trustDomain: string, verifiers: readonly NoteVerifier[]): LogIdentity {
  const origin = ledgerOrigin(trustDomain);
  if (verifiers.some(({ name }) => name === origin)) return { origin, verifiers };
  throw new StartError(`KEYD_LEDGER_KEYS has no key of the log ${origin}; give the ledger.pub of its masters`, 78);
}
