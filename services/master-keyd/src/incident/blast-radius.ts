import { MOST_LISTED, type BlastRadius } from '@sigv4-keyd/hop-protocol';
import type { Transaction } from '../database/transaction.js';
import { acceptedWithin } from './accepted-totals.js';
import type { IncidentScope } from './incident-scope.js';
import { issuedAccessKeys } from './issued-access-keys.js';
import { issuedIdentities } from './issued-identities.js';
import { remainsGood } from './sentences.js';

/** What a scope has cost or would cost. Each source is a query of its own; lists are bounded, counts are of all. */
export async function blastRadius(
  transaction: Transaction,
  scope: IncidentScope,
  limit = MOST_LISTED,
): Promise<BlastRadius> {
  const accessKeys = await issuedAccessKeys(transaction, scope, limit);
  const identities = await issuedIdentities(transaction, scope, limit);
  return {
    ...accessKeys,
    ...identities,
    acceptances: await acceptedWithin(transaction, scope),
    remainsGood: [...remainsGood(scope)],
  };
}
