import type { Transaction } from '../database/transaction.js';

/** The channel on which masters tell each other that there is a newer beacon; the payload is its version. */
export const FEED_CHANNEL = 'keyd_feed';

/** The counter of all beacons, and the newest. */
export interface FeedRow {
  readonly version: number;
  /** When the newest was signed, epoch milliseconds. */
  readonly at: number;
  /** Compact JWS; empty before the first. */
  readonly jws: string;
}

const COLUMNS = 'version::double precision AS version, signed_at, jws';

interface Row {
  readonly version: number;
  readonly signed_at: Date;
  readonly jws: string;
}

/** Locks the feed for changing, to the end of the transaction. */
export function lockFeed(transaction: Transaction): Promise<FeedRow> {
  return read(transaction, `SELECT ${COLUMNS} FROM feed_beacon FOR UPDATE`);
}

/** Locks the feed against changes, so that what is read after it is of the same moment. */
export function holdFeed(transaction: Transaction): Promise<FeedRow> {
  return read(transaction, `SELECT ${COLUMNS} FROM feed_beacon FOR SHARE`);
}

export async function storeBeacon(transaction: Transaction, { version, at, jws }: FeedRow): Promise<void> {
  await transaction.query('UPDATE feed_beacon SET version = $1, signed_at = $2, jws = $3', [
    version,
    new Date(at),
    jws,
  ]);
  // Delivered when the transaction commits, and not if it does not.
  await transaction.query('SELECT pg_notify($1, $2)', [FEED_CHANNEL, String(version)]);
}

/** Moves the counter and the time past what was seen of a feed that this database has forgotten. */
export async function movePast(
  transaction: Transaction,
  seen: { readonly version: number; readonly at: number },
): Promise<void> {
  await transaction.query(
    'UPDATE feed_beacon SET version = greatest(version, $1), signed_at = greatest(signed_at, $2)',
    [seen.version, new Date(seen.at)],
  );
}

async function read(transaction: Transaction, text: string): Promise<FeedRow> {
  const { rows } = await transaction.query<Row>(text);
  const [row] = rows;
  if (!row) throw new Error('table feed_beacon has lost its row; restore it from a backup');
  return { version: row.version, at: row.signed_at.getTime(), jws: row.jws };
}
