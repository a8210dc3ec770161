import { randomBytes } from 'node:crypto';
import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  CachedKeySource,
  HeldDays,
  wipeDenied,
  wipeWhenBanned,
  type Cancel,
  type Clock,
  type DenialOf,
  type FeedFollower,
  type HeldDay,
  type Hop,
  type KeySource,
  type MissBudgetLimits,
  type PrefetchHours,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { keepKeys, type KeptKeys, type KeptKeysSettings, type KeptKeysStatus } from './key-cache/index.js';
import { KeyUpkeep } from './key-upkeep.js';
import type { Logger } from './logging.js';

/** What the keys of a tier live by, public ones as well. */
export interface KeptPublicKeysContext {
  readonly credentials: CredentialsStore;
  readonly feed: FeedFollower;
  readonly denialOf: DenialOf;
  readonly isBanned: () => boolean;
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
}

export interface KeptPublicKeysOptions<Key> extends KeptPublicKeysContext {
  readonly parent: KeySource<Key>;
  /** How the keys are laid flat, and the hop that they come by. */
  readonly form: Pick<Hop<Key>, 'path' | 'keyBytes' | 'exportKey' | 'importKey'>;
  readonly window: WindowRule;
  readonly hours: PrefetchHours;
  /** Our SPIFFE id. */
  readonly identity: string;
  readonly missBudget: MissBudgetLimits;
}

export interface KeptPublicKeysSettings extends KeptKeysSettings {
  /** Bytes. */
  readonly publicKeyMemory: number;
}

/**
 * The public keys that a tier below the master keeps, by the same rules as the keys of the ladder: days of the window,
 * revocations, budgets, prefetch, and what a restart finds. Only access keys whose owners sign with
 * AWS4-ECDSA-P256-SHA256 ever have one here.
 */
export class KeptPublicKeys<Key> {
  readonly source: CachedKeySource<Key>;
  readonly #upkeep: KeyUpkeep<Key>;
  readonly #kept: KeptKeys;
  #stop: Cancel = () => undefined;

  private constructor(source: CachedKeySource<Key>, upkeep: KeyUpkeep<Key>, kept: KeptKeys) {
    this.source = source;
    this.#upkeep = upkeep;
    this.#kept = kept;
  }

  /** @throws StartError */
  static async open<Key>(
    settings: KeptPublicKeysSettings,
    options: KeptPublicKeysOptions<Key>,
  ): Promise<KeptPublicKeys<Key>> {
    const { parent, form, window, hours, identity, credentials, feed, denialOf, isBanned } = options;
    const { missBudget, clock, random, log } = options;
    const days = new HeldDays<Key>({
      hop: form,
      ready: (key) => key,
      clock,
      window,
      memoryBytes: settings.publicKeyMemory,
      hashSeed: randomBytes(8),
      denialOf,
    });
    const source = new CachedKeySource({ parent, days, clock, random, missBudget });
    wipeDenied(feed, source, denialOf, log);
    wipeWhenBanned(feed, source, isBanned, log);
    const kept = await keepKeys(settings, { hop: form, held: days, credentials, feed, clock, log });
    const memorySetting = 'KEYD_PUBLIC_KEY_MEMORY';
    const upkeep = new KeyUpkeep({ keys: source, hours, identity, memorySetting, clock, random, log });
    return new KeptPublicKeys(source, upkeep, kept);
  }

  /** Fetches ahead and lets days go until it is closed. */
  start(): void {
    this.#stop = this.#upkeep.start();
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#kept.close();
  }

  warnings(): readonly string[] {
    return [...this.#kept.warnings(), ...this.#upkeep.warnings()];
  }

  status(): { readonly heldDays: readonly HeldDay[]; readonly keyCache: KeptKeysStatus } {
    return { heldDays: this.#upkeep.heldDays(), keyCache: this.#kept.status() };
  }
}
