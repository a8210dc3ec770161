import { KeydError, type Cancel, type Clock } from '@sigv4-keyd/hop-protocol';

export interface FeedWaitersOptions {
  readonly clock: Clock;
  /** How many may wait at a time. */
  readonly most: number;
  /** How many of one identity. */
  readonly mostOfOne: number;
}

export interface Wait {
  /** Who waits. */
  readonly spiffeId: string;
  readonly ms: number;
  /** Calls back once whoever waits is gone. */
  readonly onGone: (gone: () => void) => void;
}

interface Waiter {
  readonly end: (outcome: 'over' | 'stopping') => void;
}

/** Requests that wait for news: a bounded number, each until there is news, its time is up, or its asker is gone. */
export class FeedWaiters {
  readonly #options: FeedWaitersOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #ofOne = new Map<string, number>();

  constructor(options: FeedWaitersOptions) {
    this.#options = options;
  }

  /** Throws KeydError 'too-many-requests'; 'not-ready' when the service stops meanwhile. */
  async wait({ spiffeId, ms, onGone }: Wait): Promise<void> {
    const { clock, most, mostOfOne } = this.#options;
    const others = this.#ofOne.get(spiffeId) ?? 0;
    if (this.#waiters.size >= most || others >= mostOfOne) {
      throw new KeydError('too-many-requests', { detail: 'too many requests wait for news; ask without `wait`' });
    }
    this.#ofOne.set(spiffeId, others + 1);
    let cancel: Cancel = () => undefined;
    const outcome = await new Promise<'over' | 'stopping'>((resolve) => {
      const waiter: Waiter = {
        end: (how) => {
          this.#waiters.delete(waiter);
          resolve(how);
        },
      };
      this.#waiters.add(waiter);
      cancel = clock.after(ms, () => waiter.end('over'));
      onGone(() => waiter.end('over'));
    });
    cancel();
    this.#release(spiffeId);
    if (outcome === 'stopping') throw new KeydError('not-ready');
  }

  wakeAll(): void {
    for (const waiter of [...this.#waiters]) waiter.end('over');
  }

  /** Ends all waits because the service stops. */
  stop(): void {
    for (const waiter of [...this.#waiters]) waiter.end('stopping');
  }

  #release(spiffeId: string): void {
    const left = (this.#ofOne.get(spiffeId) ?? 1) - 1;
    if (left > 0) this.#ofOne.set(spiffeId, left);
    else this.#ofOne.delete(spiffeId);
  }
}
