import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { every, REPORT_EVERY_MS, type Cancel, type Clock, type MasterReport } from '@sigv4-keyd/hop-protocol';
import { VERSION, type Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { storeTierReport } from './database/tier-reports.js';

export interface MasterBeatOptions {
  readonly pool: Pool;
  readonly credentials: CredentialsStore;
  /** The id of the key that it seals with. */
  readonly custodyKey: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Writes this master's own report on a beat. Whether that succeeds is how we know that the database takes records. */
export class MasterBeat {
  readonly #options: MasterBeatOptions;
  readonly #startedAt: number;
  #isDatabaseUp = false;

  constructor(options: MasterBeatOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  get isDatabaseUp(): boolean {
    return this.#isDatabaseUp;
  }

  start(): Cancel {
    return every(this.#options.clock, REPORT_EVERY_MS, () => this.beat());
  }

  ownReport(): MasterReport {
    return {
      startedAt: new Date(this.#startedAt).toISOString(),
      version: VERSION,
      // A master derives what is asked for and holds no day's keys.
      heldDays: [],
      certificateExpiresAt: this.#options.credentials.current.notAfter.toISOString(),
      parents: [],
      custodyKey: this.#options.custodyKey,
    };
  }

  /** Never rejects: a database that is down is told once, not on every beat. */
  async beat(): Promise<void> {
    const { pool, credentials, clock, log } = this.#options;
    const wasUp = this.#isDatabaseUp;
    try {
      const { spiffeId } = credentials.current;
      await storeTierReport(pool, 'master', { spiffeId, heardAt: clock.now(), report: this.ownReport() });
      this.#isDatabaseUp = true;
      if (!wasUp) log.info('the database takes records');
    } catch (error) {
      this.#isDatabaseUp = false;
      if (wasUp) log.error({ err: error }, 'the database does not take records; no key can be issued');
    }
  }
}
