import type { IdentityBan } from '@sigv4-keyd/hop-protocol';
import type { Transaction } from '../database/transaction.js';

interface Row {
  readonly spiffe_id: string;
  readonly reason: string;
  readonly author: string;
  readonly at: Date;
}

/** Who is banned now, in the order of their SPIFFE ids. */
export async function currentBans(transaction: Transaction): Promise<readonly IdentityBan[]> {
  const { rows } = await transaction.query<Row>(
    `SELECT spiffe_id, reason, author, at FROM (
       SELECT DISTINCT ON (spiffe_id) * FROM identity_ban_event ORDER BY spiffe_id, step DESC
     ) AS latest WHERE action = 'ban' ORDER BY spiffe_id`,
  );
  return rows.map(banOf);
}

/** The ban that an identity is under, as far as transactions that are over say. */
export async function currentBanOf(transaction: Transaction, spiffeId: string): Promise<IdentityBan | undefined> {
  const { rows } = await transaction.query<Row & { readonly action: string }>(
    `SELECT spiffe_id, action, reason, author, at FROM identity_ban_event
      WHERE spiffe_id = $1 ORDER BY step DESC LIMIT 1`,
    [spiffeId],
  );
  return rows[0]?.action === 'ban' ? banOf(rows[0]) : undefined;
}

export interface BanEvent {
  readonly spiffeId: string;
  readonly author: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Absent: the ban ends. */
  readonly reason?: string;
}

/** The feed must be locked. */
export async function insertBanEvent(transaction: Transaction, event: BanEvent): Promise<void> {
  await transaction.query(
    `INSERT INTO identity_ban_event (spiffe_id, step, action, reason, author, at)
     SELECT $1, count(*), $2, $3, $4, $5 FROM identity_ban_event WHERE spiffe_id = $1`,
    [
      event.spiffeId,
      event.reason === undefined ? 'unban' : 'ban',
      event.reason ?? null,
      event.author,
      new Date(event.at),
    ],
  );
}

function banOf({ spiffe_id: spiffeId, reason, author, at }: Row): IdentityBan {
  return { spiffeId, reason, by: author, at: at.toISOString() };
}
