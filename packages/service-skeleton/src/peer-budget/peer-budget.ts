import { KeydError, spiffeIdOf, type Clock } from '@sigv4-keyd/hop-protocol';
import type { onRequestHookHandler } from 'fastify';
import type { Logger } from '../logging.js';
import type { BudgetAccounts } from './budget-accounts.js';
import { BudgetCounts, type BudgetCount } from './budget-counts.js';
import type { BudgetLimits } from './budget-limits.js';
import { Turns } from './turns.js';

export interface PeerBudgetOptions {
  readonly accounts: BudgetAccounts;
  readonly limits: BudgetLimits;
  /** Requests of one peer that are worked on at a time; the next ones wait for their turn. */
  readonly mostAtATime: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A peer's portion at this replica. */
interface Purse {
  keys: number;
  requests: number;
  /** Epoch milliseconds before which there is nothing to draw. */
  closedUntil: number;
  /** Whether it was told that the budget is used up. */
  isTold: boolean;
  drawing: Promise<void> | undefined;
}

/** Requests of one peer that wait. An honest one asks once at a time for each day of the window. */
const MOST_WAITING = 32;

/**
 * What each peer may ask for, so that one that is broken or broken into cannot exhaust this tier, nor those above it.
 * The budget is drawn in portions: a request costs no write of its own, and one over the budget costs next to nothing.
 */
export class PeerBudget {
  readonly #options: PeerBudgetOptions;
  readonly #turns: Turns;
  readonly #purses = new Map<string, Purse>();
  readonly #counts = new BudgetCounts();

  constructor(options: PeerBudgetOptions) {
    this.#options = options;
    this.#turns = new Turns({
      most: options.mostAtATime,
      mostWaiting: MOST_WAITING,
      onRefused: (spiffeId) => this.#counts.refused(spiffeId),
    });
  }

  /** For `onRequest`: refuses a peer that is told to wait before its request is even read. */
  readonly refuseEarly: onRequestHookHandler = (request, _reply, done) => {
    const spiffeId = spiffeIdOf(request.peer);
    const purse = this.#purses.get(spiffeId);
    done(purse && this.#refusalOf(spiffeId, purse));
  };

  /** Runs a task that asks for so many access keys in the peer's turn. Throws KeydError 'too-many-requests'. */
  run<Result>(spiffeId: string, keys: number, task: () => Promise<Result>): Promise<Result> {
    return this.#turns.run(spiffeId, async () => {
      const purse = await this.#openPurse(spiffeId);
      this.#spend(spiffeId, purse, keys);
      return task();
    });
  }

  /** The same for pages: each counts as a request for as many access keys as it has. */
  async *meter<Item>(spiffeId: string, pages: AsyncIterable<readonly Item[]>): AsyncGenerator<readonly Item[]> {
    const iterator = pages[Symbol.asyncIterator]();
    try {
      for (;;) {
        const purse = await this.#openPurse(spiffeId);
        const page = await iterator.next();
        if (page.done === true) return;
        this.#spend(spiffeId, purse, page.value.length);
        yield page.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** What was asked for and refused since the start, by the role of who asked. */
  get counts(): readonly BudgetCount[] {
    return this.#counts.list(this.#toldToWait());
  }

  /** Who is told to wait at present, in words. */
  warnings(): readonly string[] {
    return this.#toldToWait().map(
      (spiffeId) => `${spiffeId} has used up its budget of access keys and is told to wait`,
    );
  }

  #toldToWait(): readonly string[] {
    const now = this.#options.clock.now();
    return [...this.#purses]
      .filter(([, { closedUntil, isTold }]) => isTold && closedUntil > now)
      .map(([spiffeId]) => spiffeId);
  }

  #spend(spiffeId: string, purse: Purse, keys: number): void {
    purse.keys -= keys;
    this.#counts.asked(spiffeId, keys);
  }

  /** A purse with something in it, less one request. What a request asks for beyond it is paid off by the next. */
  async #openPurse(spiffeId: string): Promise<Purse> {
    const purse = this.#purseOf(spiffeId);
    while (purse.keys < 1 || purse.requests < 1) {
      const refusal = this.#refusalOf(spiffeId, purse);
      if (refusal) throw refusal;
      purse.drawing ??= this.#draw(spiffeId, purse).finally(() => {
        purse.drawing = undefined;
      });
      await purse.drawing;
    }
    purse.requests -= 1;
    return purse;
  }

  async #draw(spiffeId: string, purse: Purse): Promise<void> {
    const { accounts, limits, clock, log } = this.#options;
    const wanted = { keys: Math.max(1, 1 - purse.keys), requests: 1 };
    const drawn = await accounts.draw(spiffeId, { limits, wanted, now: clock.now() });
    if ('portion' in drawn) {
      purse.keys += drawn.portion.keys;
      purse.requests += drawn.portion.requests;
      purse.isTold = false;
      return;
    }
    purse.closedUntil = clock.now() + drawn.retryAfterSeconds * 1000;
    if (!purse.isTold) {
      const { retryAfterSeconds } = drawn;
      const event = { event: 'budget-used-up', security: true, peer: spiffeId, retryAfterSeconds };
      log.warn(event, 'a peer has used up its budget and is told to wait; see whether it is itself');
    }
    purse.isTold = true;
  }

  /** Undefined when something may be left. Who asks refuses with it: it is counted. */
  #refusalOf(spiffeId: string, { closedUntil }: Purse): KeydError | undefined {
    const leftMs = closedUntil - this.#options.clock.now();
    if (leftMs <= 0) return undefined;
    this.#counts.refused(spiffeId);
    return new KeydError('too-many-requests', { retryAfterSeconds: Math.ceil(leftMs / 1000) });
  }

  #purseOf(spiffeId: string): Purse {
    const known = this.#purses.get(spiffeId);
    if (known) return known;
    const purse: Purse = { keys: 0, requests: 0, closedUntil: 0, isTold: false, drawing: undefined };
    this.#purses.set(spiffeId, purse);
    return purse;
  }
}
