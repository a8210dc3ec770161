import { ledgerOrigin } from '@sigv4-keyd/hop-protocol';
import { LedgerError, parseSignerKey, type NoteSigner } from '@sigv4-keyd/ledger';
import { StartError } from '@sigv4-keyd/service-skeleton';
import type { Configuration } from '../configuration.js';

/**
 * Reads the key that signs checkpoints. Its name is that of the log: with another name, nobody below would know it.
 * @throws StartError
 */
export function openLedgerKey({
  ledgerKey,
  trustDomain,
}: Pick<Configuration, 'ledgerKey' | 'trustDomain'>): NoteSigner {
  const signer = parsed(ledgerKey());
  const origin = ledgerOrigin(trustDomain);
  if (signer.name === origin) return signer;
  throw new StartError(
    `KEYD_LEDGER_KEY is a key of the log ${signer.name}, and this is the master of ${origin}; ` +
      'make one with keydctl ledger key',
    78,
  );
}

function parsed(text: string): NoteSigner {
  try {
    return parseSignerKey(text);
  } catch (error) {
    if (error instanceof LedgerError) throw new StartError(`KEYD_LEDGER_KEY: ${error.message}`, 78, error);
    throw error;
  }
}
