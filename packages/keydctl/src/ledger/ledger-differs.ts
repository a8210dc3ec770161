import { CommandError } from '../command-line/command-error.js';
import type { Difference } from './difference.js';

/** The rest is counted: after a rewrite every leaf may differ. */
const MOST_NAMED = 20;

/** The ledger is not what was signed. */
export function ledgerDiffers(differences: readonly Difference[]): CommandError {
  const named = differences
    .slice(0, MOST_NAMED)
    .map(({ leaf, what }) => (leaf === undefined ? what : `leaf ${leaf}: ${what}`));
  const rest = differences.length - named.length;
  const message = `the ledger was tampered with: ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
  const next = 'Keep a copy of the database and of the checkpoints of regions and edges as evidence';
  return new CommandError('failed', 'ledger-differs', message, next);
}
