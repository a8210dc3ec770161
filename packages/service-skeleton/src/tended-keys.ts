import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  wipeDenied,
  wipeWhenBanned,
  type CachedKeySource,
  type Cancel,
  type Clock,
  type FeedFollower,
  type HeldDay,
  type Hop,
  type OwnDenials,
} from '@sigv4-keyd/hop-protocol';
import { keepKeys, type KeptKeys, type KeptKeysSettings, type KeptKeysStatus } from './key-cache/index.js';
import { KeyUpkeep, type KeyUpkeepOptions } from './key-upkeep.js';
import type { Logger } from './logging.js';

/** What all keys of a tier live by. */
export interface TendingContext {
  readonly credentials: CredentialsStore;
  readonly feed: FeedFollower;
  readonly denials: OwnDenials;
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
}

export interface TendedKeysOptions<Carried, Ready> extends Omit<
  KeyUpkeepOptions<Carried, Ready>,
  'clock' | 'random' | 'log'
> {
  /** The hop that the keys come by. */
  readonly hop: Pick<Hop<never>, 'path' | 'keyBytes'>;
}

/**
 * Keys that a tier below the master holds, and looks after: what the feed denies is wiped, what a restart needs is kept
 * on disk, tomorrow's are fetched ahead, and old days are let go.
 */
export class TendedKeys<Carried, Ready = Carried> {
  readonly source: CachedKeySource<Carried, Ready>;
  readonly upkeep: KeyUpkeep<Carried, Ready>;
  readonly #kept: KeptKeys;
  #stop: Cancel = () => undefined;

  private constructor(source: CachedKeySource<Carried, Ready>, upkeep: KeyUpkeep<Carried, Ready>, kept: KeptKeys) {
    this.source = source;
    this.upkeep = upkeep;
    this.#kept = kept;
  }

  /**
   * Takes up what an earlier process kept. The feed must have been restored before: it says what is still good.
   * @throws StartError
   */
  static async open<Carried, Ready>(
    settings: KeptKeysSettings,
    { hop, ...options }: TendedKeysOptions<Carried, Ready>,
    { credentials, feed, denials, clock, random, log }: TendingContext,
  ): Promise<TendedKeys<Carried, Ready>> {
    const { keys } = options;
    wipeDenied(feed, keys, denials.denialOf, log);
    wipeWhenBanned(feed, keys, denials.isBanned, log);
    const kept = await keepKeys(settings, { hop, held: keys.days, credentials, feed, clock, log });
    return new TendedKeys(keys, new KeyUpkeep({ ...options, clock, random, log }), kept);
  }

  /** Fetches ahead and lets days go until it is closed. */
  start(): void {
    this.#stop = this.upkeep.start();
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#kept.close();
  }

  warnings(): readonly string[] {
    return [...this.#kept.warnings(), ...this.upkeep.warnings()];
  }

  heldDays(): readonly HeldDay[] {
    return this.upkeep.heldDays();
  }

  status(): { readonly heldDays: readonly HeldDay[]; readonly keyCache: KeptKeysStatus } {
    return { heldDays: this.heldDays(), keyCache: this.#kept.status() };
  }
}
