import type { Clock } from '../clock.js';
import { PeerRefusal } from './peer-request.js';

/** The most that is added to a wait: many who were told the same do not come back together. */
const MOST_JITTER_MS = 5_000;

/**
 * What the tier above asked us to wait for, a route at a time. All replicas count one budget: whoever is told to wait
 * by one asks none of them meanwhile, and the caller hears so without a request.
 */
export class ToldToWait {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #until = new Map<string, number>();

  constructor({ clock, random }: { readonly clock: Clock; readonly random: () => number }) {
    this.#clock = clock;
    this.#random = random;
  }

  told(route: string, seconds: number): void {
    const ms = seconds * 1000;
    this.#until.set(route, this.#clock.now() + ms + this.#random() * Math.min(ms, MOST_JITTER_MS));
  }

  /** Throws the same refusal again, 'too-many-requests', before the time. */
  requireOver(route: string): void {
    const leftMs = (this.#until.get(route) ?? 0) - this.#clock.now();
    if (leftMs <= 0) {
      this.#until.delete(route);
      return;
    }
    const retryAfterSeconds = Math.ceil(leftMs / 1000);
    throw new PeerRefusal('too-many-requests', { detail: `told to wait for ${retryAfterSeconds}s`, retryAfterSeconds });
  }
}
