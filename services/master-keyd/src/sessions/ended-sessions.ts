import { DAY_MS } from '@sigv4-keyd/sigv4-core';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { query } from '../database/transaction.js';

export interface EndedSessionsOptions {
  readonly pool: Pool;
  readonly now: () => number;
  readonly log: Logger;
  /** For how many days acceptances are kept, and the rows of the sessions that they name. */
  readonly keptDays: number;
}

/** How often `beat` is due, milliseconds. */
export const END_SESSIONS_EVERY_MS = 60_000;
/** Rows a statement: none of them holds up others for long. */
const ROWS_AT_ONCE = 5_000;

/**
 * Takes the secrets of sessions that have ended out of the database, and in time their rows. Ids are 80 random bits:
 * none returns without its row either. Every master may do it at once: each takes rows that no other has locked.
 */
export class EndedSessions {
  readonly #options: EndedSessionsOptions;

  constructor(options: EndedSessionsOptions) {
    this.#options = options;
  }

  /** Never rejects: the next beat tries again. */
  async beat(): Promise<void> {
    const { now, log, keptDays } = this.#options;
    const at = now();
    try {
      const wiped = await this.#repeat(
        `UPDATE access_key SET status = 'deleted', sealed_secret = NULL, pinned = false WHERE id IN (
           SELECT id FROM access_key
            WHERE parent_id IS NOT NULL AND expires_at <= $1 AND status <> 'deleted'
            ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id`,
        at,
      );
      if (wiped > 0) log.info({ event: 'sessions-ended', wiped }, 'secrets of sessions that have ended were removed');
      // A day more than the newest acceptance that can name it, whose batch may come late.
      await this.#repeat(
        `DELETE FROM access_key WHERE id IN (
           SELECT id FROM access_key WHERE parent_id IS NOT NULL AND expires_at <= $1 AND status = 'deleted'
            ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id`,
        at - (keptDays + 1) * DAY_MS,
      );
    } catch (error) {
      log.warn({ err: error }, 'sessions that have ended could not be looked after; the next beat tries again');
    }
  }

  async #repeat(statement: string, endedBy: number): Promise<number> {
    let rows = 0;
    for (;;) {
      const done = await query(this.#options.pool, statement, [new Date(endedBy), ROWS_AT_ONCE]);
      rows += done.length;
      if (done.length < ROWS_AT_ONCE) return rows;
    }
  }
}
