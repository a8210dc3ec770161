import {
  autonomySeconds,
  every,
  Prefetch,
  type CachedKeySource,
  type Cancel,
  type Clock,
  type HeldDay,
  type KeyGauges,
  type PrefetchHours,
  type WantedKeys,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { addDays, scopeDateOf, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Logger } from './logging.js';

export interface KeyUpkeepOptions<Carried, Ready> {
  readonly keys: CachedKeySource<Carried, Ready>;
  /** When tomorrow's keys are fetched, and by whose SPIFFE id the moment is chosen. */
  readonly hours: PrefetchHours;
  readonly identity: string;
  readonly wanted?: WantedKeys;
  /** The setting that bounds the memory of the keys. */
  readonly memorySetting?: string;
  /** When silence about revocations ends the service, epoch milliseconds; absent: never. */
  readonly silenceEndsAt?: () => number;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly log: Logger;
}

const EXPIRE_EVERY_MS = 60_000;

/** Looks after the keys of a tier: fetches them ahead, forgets them in time, and tells how they are. */
export class KeyUpkeep<Carried, Ready = Carried> {
  readonly #options: KeyUpkeepOptions<Carried, Ready>;
  readonly #prefetch: Prefetch<Carried, Ready>;

  constructor(options: KeyUpkeepOptions<Carried, Ready>) {
    this.#options = options;
    this.#prefetch = new Prefetch({ ...options, onChange: (failure) => this.#tellPrefetch(failure) });
  }

  start(): Cancel {
    const { clock, keys } = this.#options;
    const stops = [
      this.#prefetch.start(),
      every(clock, EXPIRE_EVERY_MS, () => keys.days.expire()),
      keys.days.subscribe({ onFull: (date) => this.#tellFull(date) }),
      keys.onShared((requestId, others) => this.#tellShared(requestId, others)),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Whether any key of today is held: if so, the service can do its work with nobody above it. */
  get holdsToday(): boolean {
    const { keys, clock } = this.#options;
    return keys.days.holdsAny(clock.now());
  }

  get window(): WindowRule {
    return this.#options.keys.days.window;
  }

  /** Whether tomorrow's keys of all access keys in use are held. */
  get isMidnightReady(): boolean {
    return this.#prefetch.fetchedAhead === addDays(scopeDateOf(this.#options.clock.now()), 1);
  }

  /** Whether the hours are over in which tomorrow's keys are fetched. */
  get isMidnightDue(): boolean {
    const { clock, hours } = this.#options;
    const now = clock.now();
    return now - startOfScopeDate(scopeDateOf(now)) >= hours.to;
  }

  heldDays(): readonly HeldDay[] {
    return this.#options.keys.days.status();
  }

  gauges(): KeyGauges {
    const { keys, clock, silenceEndsAt } = this.#options;
    const now = clock.now();
    const days = this.heldDays();
    const { accessKeys, since = now } = this.#prefetch.lag;
    const total = (of: (day: HeldDay) => number): number => days.reduce((sum, day) => sum + of(day), 0);
    return {
      autonomySeconds: autonomySeconds({
        now,
        holds: (date) => days.some((day) => day.date === date && day.keys > 0),
        fetchedAhead: this.#prefetch.fetchedAhead,
        ...(silenceEndsAt && { silenceEndsAt: silenceEndsAt() }),
      }),
      daysHeld: days.filter((day) => day.keys > 0).length,
      keysHeld: total((day) => day.keys),
      mostKeysADay: keys.days.mostKeysADay,
      memoryBytes: total((day) => day.bytes) + keys.days.used.bytes,
      prefetchLag: { accessKeys, seconds: Math.max(0, Math.floor((now - since) / 1000)) },
      misses: keys.misses,
    };
  }

  /** For the readiness probe, in words. */
  warnings(): readonly string[] {
    const { wanted, keys } = this.#options;
    const full = this.heldDays().filter(({ evicted, turnedAway }) => evicted + turnedAway > 0);
    return [
      ...full.map(({ date }) => this.#fullSentence(date)),
      ...(wanted?.daysCutShort ?? []).map(
        (date) =>
          `${date} has more access keys than fit (${keys.days.mostKeysADay} a day): ` +
          'the others are fetched when they are used; raise KEYD_KEY_MEMORY',
      ),
    ];
  }

  get #memorySetting(): string {
    return this.#options.memorySetting ?? 'KEYD_KEY_MEMORY';
  }

  #tellPrefetch(failure: unknown): void {
    const { log } = this.#options;
    if (failure === undefined) log.info({ event: 'prefetch-resumed' }, 'keys are being fetched ahead again');
    else log.warn({ event: 'prefetch-failing', err: failure }, 'keys cannot be fetched ahead yet; trying every minute');
  }

  /** By it, the others are found at the tiers above. */
  #tellShared(requestId: string, others: readonly string[]): void {
    this.#options.log.debug({ event: 'asked-together', requestId, others }, 'requests asked the tier above together');
  }

  #tellFull(date: string): void {
    this.#options.log.warn({ event: 'key-memory-full', date }, this.#fullSentence(date));
  }

  #fullSentence(date: string): string {
    return (
      `more access keys are in use on ${date} than fit (${this.#options.keys.days.mostKeysADay} a day): ` +
      `those not used for longest make room and are fetched again when needed; raise ${this.#memorySetting}`
    );
  }
}
