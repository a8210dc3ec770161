import { draw, newAccount, type BudgetAccount, type BudgetAccounts } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { inTransaction, type Transaction } from './transaction.js';

interface Row {
  readonly keys: number;
  readonly requests: number;
  readonly at: Date;
  readonly day: number;
  readonly keys_of_day: number;
}

/** One account a peer for all masters: what one of them was asked for, no other gives again, nor after a restart. */
export function accountsInDatabase(pool: Pool): BudgetAccounts {
  return {
    draw: (spiffeId, request) =>
      inTransaction(pool, async (transaction) => {
        const account = await lockAccount(transaction, spiffeId, newAccount(request.limits, request.now));
        const drawn = draw(account, request);
        await storeAccount(transaction, spiffeId, drawn.account);
        return drawn;
      }),
  };
}

/** The peer's account, locked until the end of the transaction; `fresh` where it has none yet. */
async function lockAccount(transaction: Transaction, spiffeId: string, fresh: BudgetAccount): Promise<BudgetAccount> {
  await transaction.query(
    `INSERT INTO peer_budget (spiffe_id, keys, requests, at, day, keys_of_day) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (spiffe_id) DO NOTHING`,
    valuesOf(spiffeId, fresh),
  );
  const { rows } = await transaction.query<Row>(
    'SELECT keys, requests, at, day, keys_of_day FROM peer_budget WHERE spiffe_id = $1 FOR UPDATE',
    [spiffeId],
  );
  const [row] = rows;
  if (!row) return fresh;
  const { keys, requests, at, day, keys_of_day: keysOfDay } = row;
  return { keys, requests, at: at.getTime(), day, keysOfDay };
}

async function storeAccount(transaction: Transaction, spiffeId: string, account: BudgetAccount): Promise<void> {
  await transaction.query(
    'UPDATE peer_budget SET keys = $2, requests = $3, at = $4, day = $5, keys_of_day = $6 WHERE spiffe_id = $1',
    valuesOf(spiffeId, account),
  );
}

function valuesOf(spiffeId: string, { keys, requests, at, day, keysOfDay }: BudgetAccount): unknown[] {
  return [spiffeId, keys, requests, new Date(at), day, keysOfDay];
}
