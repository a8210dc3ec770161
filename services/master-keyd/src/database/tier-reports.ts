import { masterReport, regionReport, type MasterReport, type RegionReport } from '@sigv4-keyd/hop-protocol';
import type { Pool } from 'pg';
import { query } from './transaction.js';

export interface HeardTier<Report> {
  readonly spiffeId: string;
  /** Epoch milliseconds. */
  readonly heardAt: number;
  readonly report: Report;
}

/** Keeps what a master, a deputy or a region said last. */
export async function storeTierReport(
  pool: Pool,
  role: 'master' | 'deputy' | 'region',
  { spiffeId, heardAt, report }: HeardTier<MasterReport | RegionReport>,
): Promise<void> {
  await query(
    pool,
    `INSERT INTO tier_report (spiffe_id, role, heard_at, report) VALUES ($1, $2, $3, $4)
     ON CONFLICT (spiffe_id) DO UPDATE SET heard_at = excluded.heard_at, report = excluded.report`,
    [spiffeId, role, new Date(heardAt), report],
  );
}

export function heardMasters(pool: Pool): Promise<readonly HeardTier<MasterReport>[]> {
  return heard(pool, 'master', masterReport);
}

export function heardRegions(pool: Pool): Promise<readonly HeardTier<RegionReport>[]> {
  return heard(pool, 'region', regionReport);
}

export function heardDeputies(pool: Pool): Promise<readonly HeardTier<RegionReport>[]> {
  return heard(pool, 'deputy', regionReport);
}

interface ReportReader<Report> {
  safeParse(stored: unknown): { readonly success: true; readonly data: Report } | { readonly success: false };
}

async function heard<Report>(
  pool: Pool,
  role: 'master' | 'deputy' | 'region',
  form: ReportReader<Report>,
): Promise<readonly HeardTier<Report>[]> {
  const rows = await query<{ readonly spiffe_id: string; readonly heard_at: Date; readonly report: unknown }>(
    pool,
    'SELECT spiffe_id, heard_at, report FROM tier_report WHERE role = $1 ORDER BY spiffe_id',
    [role],
  );
  return rows.flatMap(({ spiffe_id: spiffeId, heard_at: heardAt, report }) => {
    // A report that another release stored in another form is as good as none; the next one replaces it.
    const parsed = form.safeParse(report);
    return parsed.success ? [{ spiffeId, heardAt: heardAt.getTime(), report: parsed.data }] : [];
  });
}
