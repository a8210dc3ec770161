import { access } from 'node:fs/promises';
import { createLedgerKey, ledgerKeyFolder } from '@sigv4-keyd/keydctl';
import { TRUST_DOMAIN } from './certificates.js';
import type { StateFolder } from './state-folder.js';

/** The key of the ledger, made once: tiers that remember checkpoints refuse those of another. */
export async function ensureLedgerKey(state: StateFolder): Promise<void> {
  const isThere = await access(ledgerKeyFolder(state.ledgerKey).verifier).then(
    () => true,
    () => false,
  );
  if (!isThere) await createLedgerKey(state.ledgerKey, TRUST_DOMAIN);
}
