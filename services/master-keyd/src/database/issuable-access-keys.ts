import { COLUMNS, storedFrom, type AccessKeyRow, type StoredAccessKey } from './access-keys.js';
import type { Transaction } from './transaction.js';

export interface IssuableFilter {
  /** Undefined: every region. Access keys that are limited to some are left out then. */
  readonly region: string | undefined;
  /** Epoch milliseconds: access keys that have expired by then are left out. */
  readonly at: number;
  /** Epoch milliseconds when the day begins that the keys are for: sessions that end before have none of it. */
  readonly dayBegins: number;
  /** Only those that operators pinned. */
  readonly isPinned: boolean;
  readonly after: string | undefined;
  readonly limit: number;
}

/**
 * The access keys that may be given out for a region after the id `after`, at most `limit`, in the order of their ids.
 */
export async function pageOfIssuableAccessKeys(
  transaction: Transaction,
  { region, at, dayBegins, isPinned, after, limit }: IssuableFilter,
): Promise<readonly StoredAccessKey[]> {
  const { rows } = await transaction.query<AccessKeyRow>(
    `SELECT ${COLUMNS} FROM access_key
      WHERE id > $1 AND status = 'enabled' AND (expires_at IS NULL OR expires_at > $2)
        AND (parent_id IS NULL OR expires_at > $5)
        AND (regions IS NULL OR $3 = ANY (regions)) ${isPinned ? 'AND pinned' : ''}
      ORDER BY id LIMIT $4`,
    [after ?? '', new Date(at), region ?? null, limit, new Date(dayBegins)],
  );
  return rows.map(storedFrom);
}
