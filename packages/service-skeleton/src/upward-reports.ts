import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  every,
  KeydError,
  REPORT_EVERY_MS,
  REPORT_PATH,
  type Cancel,
  type Clock,
  type OwnReport,
} from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import type { KeyUpkeep } from './key-upkeep.js';
import type { Logger } from './logging.js';
import type { TierAbove } from './tier-above.js';
import { VERSION } from './version.js';

export interface UpwardReportsOptions {
  readonly parents: Pick<TierAbove, 'client' | 'status'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly credentials: CredentialsStore;
  readonly upkeep: Pick<KeyUpkeep<unknown>, 'heldDays' | 'gauges' | 'window'>;
  /** What this tier adds to the report that every tier makes. */
  readonly more?: () => object;
}

/** Tells the tier above how this one is, on a beat; whether that succeeds is how the parent's reach is known. */
export class UpwardReports {
  readonly #options: UpwardReportsOptions;
  readonly #startedAt: number;
  #lastContactAt: number | undefined;
  #failure: KeydError | undefined;

  constructor(options: UpwardReportsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  start(): Cancel {
    void this.send();
    return every(this.#options.clock, REPORT_EVERY_MS, () => this.send());
  }

  /** Epoch milliseconds of the last report that the tier above took. */
  get lastContactAt(): number | undefined {
    return this.#lastContactAt;
  }

  /** Whether the last report was taken. */
  get isParentReachable(): boolean {
    return this.#lastContactAt !== undefined && this.#failure === undefined;
  }

  /** Why the last report was not taken. */
  get failure(): KeydError | undefined {
    return this.#failure;
  }

  ownReport(): OwnReport {
    const { credentials, upkeep, parents } = this.#options;
    return {
      startedAt: new Date(this.#startedAt).toISOString(),
      version: VERSION,
      heldDays: upkeep.heldDays().map(({ date, keys, fetchedAt }) => ({
        date,
        keys,
        fetchedAt: new Date(fetchedAt).toISOString(),
      })),
      keys: upkeep.gauges(),
      window: upkeep.window,
      certificateExpiresAt: credentials.current.notAfter.toISOString(),
      parents: parents.status().map(({ url, isHealthy, isChosen, since, answeredAt, failure }) => ({
        url,
        isHealthy,
        isChosen,
        since: new Date(since).toISOString(),
        ...(answeredAt !== undefined && { answeredAt: new Date(answeredAt).toISOString() }),
        ...(failure !== undefined && { failure }),
      })),
    };
  }

  /** Never rejects: a parent that is down is told once, not on every beat. */
  async send(): Promise<void> {
    const { parents, clock, log, more } = this.#options;
    try {
      const body = { ...this.ownReport(), ...more?.() };
      await parents.client.call({ method: 'POST', path: REPORT_PATH, body, answer: z.undefined() });
      this.#lastContactAt = clock.now();
      if (this.#failure) log.info('the tier above is reachable again');
      this.#failure = undefined;
    } catch (error) {
      if (!this.#failure) log.warn({ err: error }, 'the tier above cannot be reached; serving what is held');
      this.#failure = error instanceof KeydError ? error : new KeydError('parent-unavailable', { cause: error });
    }
  }
}
