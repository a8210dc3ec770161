import { every, type Cancel, type Clock } from '@sigv4-keyd/hop-protocol';
import type { DeputyGrants } from './deputy-grants.js';

const BEAT_MS = 60_000;

/** How many grants are in force, read on a beat: a scrape asks the database for nothing. */
export class CountedGrants {
  readonly #grants: DeputyGrants;
  #count = 0;

  constructor(grants: DeputyGrants) {
    this.#grants = grants;
  }

  get count(): number {
    return this.#count;
  }

  start(clock: Clock): Cancel {
    return every(clock, BEAT_MS, () => this.beat());
  }

  /** Never rejects: a database that is down is told elsewhere, and the last count stands. */
  async beat(): Promise<void> {
    this.#count = await this.#grants.count().catch(() => this.#count);
  }
}
