import {
  MOST_BANS_SHOWN,
  MOST_REGIONS_SHOWN,
  MOST_REVOCATIONS_SHOWN,
  MOST_TIERS_SHOWN,
  windowOfDays,
  type Overview,
  type StatusAnswer,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { isRevocation, keptUntil, RevocationSet } from '@sigv4-keyd/revocation';
import { addDays, scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { inTransaction } from '../database/transaction.js';
import { currentBans } from '../feed/ban-table.js';
import { firstBeaconsOf } from '../feed/statement-table.js';
import type { MasterFeed } from '../feed/master-feed.js';
import { readLedgerSize, type LedgerSize } from '../ledger/ledger-size.js';
import { readCounts, readStatus } from '../status.js';
import { Kept } from './kept.js';
import { openRevocations, placedEdges, type NamedRevocation } from './open-revocations.js';
import { regionGrid } from './region-grid.js';
import { tierRows } from './tier-rows.js';

export interface OverviewOptions {
  readonly pool: Pool;
  readonly window: WindowRule;
  readonly feed: MasterFeed;
  readonly now: () => number;
}

/** Consoles ask every two seconds, each of them: all get the same picture. */
const PICTURE_KEPT_MS = 1_000;
/** Counting what was issued goes through all records of the window. */
const COUNTS_KEPT_MS = 15_000;

/** The picture of the whole system, read from what all masters wrote. */
export class OverviewReader {
  readonly #options: OverviewOptions;
  readonly #picture: Kept<Overview>;
  readonly #counts: Kept<Awaited<ReturnType<typeof readCounts>>>;

  constructor(options: OverviewOptions) {
    const { pool, window, now } = options;
    this.#options = options;
    this.#picture = new Kept(() => this.#read(), { forMs: PICTURE_KEPT_MS, now });
    this.#counts = new Kept(() => readCounts(pool, { window, now: now() }), { forMs: COUNTS_KEPT_MS, now });
  }

  read(): Promise<Overview> {
    return this.#picture.get();
  }

  async #read(): Promise<Overview> {
    const { pool, window, feed, now } = this.#options;
    const at = now();
    const counts = await this.#counts.get();
    const changesInFeed = feed.held?.pages.changes.size ?? 0;
    const [status, revocations, ledger, bans] = await Promise.all([
      readStatus(pool, { window, now: at, changesInFeed, counts }),
      this.#revocations(at),
      readLedgerSize(pool),
      inTransaction(pool, currentBans),
    ]);
    const days = shownDays(window, at);
    const edges = placedEdges(status.regions.flatMap((region) => region.edges));
    const grid = regionGrid(status.regions, days, { revocations, edges }, at);
    const tiers = tierRows(status, days, at);
    const { enabled, disabled, sessions } = status.accessKeys;
    return {
      at: status.at,
      today: scopeDateOf(at),
      days: [...days],
      warnings: status.warnings,
      accessKeys: { enabled, disabled, sessions },
      regions: grid.slice(0, MOST_REGIONS_SHOWN),
      regionCount: grid.length,
      tiers: tiers.slice(0, MOST_TIERS_SHOWN),
      tierCount: tiers.length,
      ...(feed.held && { feed: { version: feed.held.version, at: new Date(feed.held.at).toISOString() } }),
      revocations: openRevocations(revocations.slice(0, MOST_REVOCATIONS_SHOWN), edges),
      revocationCount: revocations.length,
      bans: bans.slice(0, MOST_BANS_SHOWN),
      banCount: bans.length,
      ledger: ledgerOf(ledger, status),
    };
  }

  /** Those in force, the newest first. */
  async #revocations(now: number): Promise<readonly NamedRevocation[]> {
    const { pool, feed, window } = this.#options;
    const statements = feed.held?.known.statements ?? [];
    const set = RevocationSet.of(statements);
    const open = statements
      .filter(isRevocation)
      .filter(({ statement, digest }) => !set.isLifted(digest) && keptUntil(statement, window) > now);
    const firstBeacons = await firstBeaconsOf(
      pool,
      open.map(({ digest }) => digest),
    );
    return open.map(({ statement, digest }) => ({ statement, namedIn: firstBeacons.get(digest) ?? 0 })).reverse();
  }
}

/** The days of the window; tomorrow is shown before it begins to be issued, too. */
function shownDays(window: WindowRule, now: number): readonly ScopeDate[] {
  const tomorrow = addDays(scopeDateOf(now), 1);
  return [...new Set([...windowOfDays(window, now), tomorrow])];
}

function ledgerOf({ size, pending, checkpoint }: LedgerSize, status: StatusAnswer): Overview['ledger'] {
  const below = [...status.deputies, ...status.regions];
  const seenBy = below.flatMap(({ spiffeId, report }) =>
    report?.checkpoint === undefined ? [] : [{ spiffeId, size: report.checkpoint.size }],
  );
  return { size, pending, checkpoint, seenBy: seenBy.slice(0, MOST_REGIONS_SHOWN) };
}
