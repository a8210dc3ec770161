import { FeedError, verifyBeacon, type PinnedKeys } from '@sigv4-keyd/revocation';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { query } from '../database/transaction.js';

interface Seen {
  readonly version: number;
  /** When it was signed, epoch milliseconds. */
  readonly at: number;
}

/** How far the feed had come before the database was set back. */
export interface LeftBehind extends Seen {
  /** What happened and how to go on, for logs and answers. */
  readonly sentence: string;
}

export interface BehindPeersOptions {
  readonly pool: Pool;
  readonly keys: PinnedKeys;
  readonly log: Logger;
}

interface Ahead {
  readonly spiffe_id: string | null;
  readonly own: number;
  readonly beacon: string | null;
}

/**
 * Finds out whether this database has forgotten beacons that regions or deputies have accepted. One of them proves
 * that by the beacon itself: its word alone, which anyone who broke into one could give, would stop every master.
 */
export class BehindPeers {
  readonly #options: BehindPeersOptions;
  readonly #disbelieved = new Set<string>();

  constructor(options: BehindPeersOptions) {
    this.#options = options;
  }

  /** `remembered`: the newest version that this master itself has seen. */
  async find(remembered: Seen | undefined): Promise<LeftBehind | undefined> {
    // One statement and so one moment: a beacon is stored before any region can report it.
    const rows = await query<Ahead>(
      this.#options.pool,
      `SELECT feed.version::double precision AS own, tier.spiffe_id, tier.report -> 'feed' ->> 'beacon' AS beacon
         FROM feed_beacon AS feed LEFT JOIN tier_report AS tier
           ON tier.role IN ('deputy', 'region') AND (tier.report -> 'feed' ->> 'version')::numeric > feed.version`,
    );
    const own = rows[0]?.own ?? 0;
    let newest: LeftBehind | undefined;
    if (remembered !== undefined && remembered.version > own) newest = leftBehind('this master', own, remembered);
    for (const { spiffe_id: region, beacon } of rows) {
      const seen = region === null || beacon === null ? undefined : await this.#proven(region, beacon);
      if (region !== null && seen !== undefined && seen.version > Math.max(own, newest?.version ?? 0)) {
        newest = leftBehind(region, own, seen);
      }
    }
    return newest;
  }

  async #proven(region: string, jws: string): Promise<Seen | undefined> {
    try {
      const { beacon, at } = await verifyBeacon(jws, this.#options.keys);
      return { version: beacon.version, at };
    } catch (error) {
      if (!(error instanceof FeedError)) throw error;
      if (!this.#disbelieved.has(region)) {
        this.#disbelieved.add(region);
        this.#options.log.warn(
          { event: 'beacon-disbelieved', peer: region, code: error.code },
          'a region reports a beacon newer than ours that no pinned key signed; it is ignored: look at that region',
        );
      }
      return undefined;
    }
  }
}

function leftBehind(who: string, own: number, seen: Seen): LeftBehind {
  return {
    ...seen,
    sentence:
      `the database is at version ${own} of the feed, and ${who} has seen version ${seen.version} of ` +
      `${new Date(seen.at).toISOString()}: it was restored from a backup. Nothing is published or issued until an ` +
      'operator resumes (see docs/restore.md)',
  };
}
