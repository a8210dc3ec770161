import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  identityOf,
  longerWindows,
  windowOfDays,
  type RegionReport,
  type StatusAnswer,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { everIssuedTo, issuedDays, type IssuedDay } from './database/issuances.js';
import { heardMasters, heardRegions, type HeardTier } from './database/tier-reports.js';
import { query } from './database/transaction.js';
import { deputyStatus } from './deputies/deputy-status.js';

export interface Counts {
  readonly accessKeys: AccessKeyCounts;
  readonly issued: readonly IssuedDay[];
  /** Every region that was ever given a key. */
  readonly peers: readonly string[];
}

interface StatusOptions {
  readonly window: WindowRule;
  readonly now: number;
  readonly changesInFeed: number;
  /** As read before. Absent: read now. */
  readonly counts?: Counts;
}

/** What is up, and which tier was given or holds keys of which days; read from what all replicas wrote. */
export async function readStatus(
  pool: Pool,
  { window, now, changesInFeed, counts }: StatusOptions,
): Promise<StatusAnswer> {
  const [masters, regions, deputies, { accessKeys, issued, peers }] = await Promise.all([
    heardMasters(pool),
    heardRegions(pool),
    deputyStatus(pool, oldestDay(window, now)),
    counts ?? readCounts(pool, { window, now }),
  ]);
  const reports = new Map(withEdgesOnce(regions).map((region) => [region.spiffeId, region]));
  const spiffeIds = [...new Set([...peers, ...reports.keys()])].sort();
  return {
    at: iso(now),
    warnings: warningsAbout(window, regions),
    masters: masters.map(({ spiffeId, heardAt, report: { startedAt, version, certificateExpiresAt } }) => ({
      spiffeId,
      startedAt,
      heardAt: iso(heardAt),
      version,
      certificateExpiresAt,
    })),
    accessKeys: { ...accessKeys, changesInFeed },
    regions: spiffeIds.flatMap((spiffeId) => statusOf(spiffeId, issued, reports.get(spiffeId))),
    deputies: deputies.map((deputy) => ({ ...deputy, issued: issuedTo(deputy.spiffeId, issued) })),
  };
}

/** The part of a status that takes time in proportion to what was issued. */
export async function readCounts(
  pool: Pool,
  { window, now }: { readonly window: WindowRule; readonly now: number },
): Promise<Counts> {
  const [accessKeys, issued, peers] = await Promise.all([
    countAccessKeys(pool),
    issuedDays(pool, oldestDay(window, now)),
    everIssuedTo(pool),
  ]);
  return { accessKeys, issued, peers };
}

function oldestDay(window: WindowRule, now: number): ScopeDate {
  return windowOfDays(window, now)[0] ?? scopeDateOf(now);
}

function warningsAbout(window: WindowRule, regions: readonly HeardTier<RegionReport>[]): string[] {
  const tiers = regions.flatMap(({ spiffeId, report }) => [{ spiffeId, report }, ...report.edges]);
  const problem = longerWindows(
    window,
    tiers.map(({ spiffeId, report }) => ({ spiffeId, window: report.window })),
  );
  return problem === undefined ? [] : [problem];
}

/** An edge may have reported to several replicas of its region, one after the other: the newest report counts. */
function withEdgesOnce(regions: readonly HeardTier<RegionReport>[]): readonly HeardTier<RegionReport>[] {
  const newest = new Map<string, RegionReport['edges'][number]>();
  for (const edge of regions.flatMap(({ report }) => report.edges)) {
    const known = newest.get(edge.spiffeId);
    if (known === undefined || known.heardAt < edge.heardAt) newest.set(edge.spiffeId, edge);
  }
  return regions.map((region) => {
    const edges = region.report.edges.filter((edge) => newest.get(edge.spiffeId) === edge);
    return { ...region, report: { ...region.report, edges } };
  });
}

type RegionStatus = StatusAnswer['regions'][number];

function statusOf(
  spiffeId: string,
  issued: readonly IssuedDay[],
  heard: HeardTier<RegionReport> | undefined,
): RegionStatus[] {
  const region = regionOf(spiffeId);
  if (region === undefined) return [];
  const days = issuedTo(spiffeId, issued);
  if (!heard) return [{ spiffeId, region, issued: days, edges: [] }];
  const { edges, ...report } = heard.report;
  return [{ spiffeId, region, heardAt: iso(heard.heardAt), report, issued: days, edges }];
}

function issuedTo(spiffeId: string, issued: readonly IssuedDay[]): RegionStatus['issued'] {
  return issued
    .filter(({ peer }) => peer === spiffeId)
    .map(({ date, accessKeys, lastIssuedAt }) => ({ date, accessKeys, lastIssuedAt: iso(lastIssuedAt) }));
}

type AccessKeyCounts = Pick<StatusAnswer['accessKeys'], 'enabled' | 'disabled' | 'sessions'>;

async function countAccessKeys(pool: Pool): Promise<AccessKeyCounts> {
  const rows = await query<AccessKeyCounts>(
    pool,
    `SELECT count(*) FILTER (WHERE status = 'enabled' AND parent_id IS NULL)::integer AS enabled,
            count(*) FILTER (WHERE status = 'disabled' AND parent_id IS NULL)::integer AS disabled,
            count(*) FILTER (WHERE status <> 'deleted' AND parent_id IS NOT NULL)::integer AS sessions
       FROM access_key`,
  );
  return rows[0] ?? { enabled: 0, disabled: 0, sessions: 0 };
}

function regionOf(spiffeId: string): string | undefined {
  const id = parseSpiffeId(spiffeId);
  const identity = id && identityOf(id);
  return identity?.role === 'region' ? identity.region : undefined;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
