import type { AccessKeyChange, AccessKeyStatus } from '@sigv4-keyd/revocation';
import type { Transaction } from './transaction.js';

interface Row {
  readonly id: string;
  readonly status: AccessKeyStatus;
  readonly version: number;
  readonly expires_at: Date | null;
  readonly regions: string[] | null;
  readonly services: string[] | null;
}

/** Every access key of which the feed is yet to tell, as it is now; the beacon of this version tells of it. */
export async function takeUntoldChanges(
  transaction: Transaction,
  version: number,
): Promise<readonly AccessKeyChange[]> {
  const { rows } = await transaction.query<Row>(
    `UPDATE access_key SET changed_in = $1 WHERE changed_in IS NULL
     RETURNING id, status, version, expires_at, regions, services`,
    [version],
  );
  return rows.map((row) => ({
    accessKeyId: row.id,
    change: version,
    status: row.status,
    secretVersion: row.version,
    ...(row.expires_at && { expiresAt: row.expires_at.getTime() }),
    ...(row.regions && { regions: ascending(row.regions) }),
    ...(row.services && { services: ascending(row.services) }),
  }));
}

function ascending(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
