import type { IssuableAccessKey } from './access-keys.js';
import type { Transaction } from './transaction.js';

/** What the driver reads in the least time: a million rows come for each region and day. */
interface Row {
  readonly id: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly regions: string[] | null;
  readonly services: string[] | null;
  readonly parent_id: string | null;
  readonly version: number;
  readonly sealed_secret: Buffer | null;
}

/** An instant has microseconds there, and whole milliseconds here. */
const millisecondsOf = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)::double precision`;
const COLUMNS =
  `id, ${millisecondsOf('created_at')} AS created_at, ${millisecondsOf('expires_at')} AS expires_at, ` +
  'regions, services, parent_id, version, sealed_secret';

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
): Promise<readonly IssuableAccessKey[]> {
  const { rows } = await transaction.query<Row>(
    `SELECT ${COLUMNS} FROM access_key
      WHERE id > $1 AND status = 'enabled' AND (expires_at IS NULL OR expires_at > $2)
        AND (parent_id IS NULL OR expires_at > $5)
        AND (regions IS NULL OR $3 = ANY (regions)) ${isPinned ? 'AND pinned' : ''}
      ORDER BY id LIMIT $4`,
    [after ?? '', new Date(at), region ?? null, limit, new Date(dayBegins)],
  );
  return rows.map(issuableFrom);
}

function issuableFrom(row: Row): IssuableAccessKey {
  return {
    accessKeyId: row.id,
    status: 'enabled',
    createdAt: row.created_at,
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(row.regions && { regions: row.regions }),
    ...(row.services && { services: row.services }),
    ...(row.parent_id !== null && { parentId: row.parent_id }),
    version: row.version,
    ...(row.sealed_secret && { sealed: row.sealed_secret }),
  };
}
