import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Clock } from './clock.js';
import { KeydError } from './errors.js';
import type { Absence, IssuedKey, KeyAnswer } from './key-source.js';
import { AskedTogether } from './tracing/asked-together.js';

/** What is known of an access key on a day: its key, or why there is none. */
export type Finding<Key> = IssuedKey<Key> | Absence;

interface Waiting<Key> {
  readonly promise: Promise<Finding<Key>>;
  readonly resolve: (finding: Finding<Key>) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane<Key> {
  readonly queued: Map<string, Waiting<Key>>;
  readonly asked: Map<string, Waiting<Key>>;
  /** Ids of the requests that wait for what is queued, and for what is asked; the first of a batch stands for all. */
  queuedFor: Set<string>;
  askedFor: Set<string>;
  /** Their spans. */
  queuedTogether: AskedTogether;
  askedTogether: AskedTogether;
  failures: number;
  closedUntil: number;
}

export interface LookupBatchesOptions<Key> {
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  /** Access keys in one request. */
  readonly mostAtOnce: number;
  /** `requestId`: of the request that waits first, where it has one. */
  readonly fetch: (
    date: ScopeDate,
    accessKeyIds: readonly string[],
    requestId: string | undefined,
  ) => Promise<KeyAnswer<Key>>;
  /** Told of a batch that several requests waited for: whose id it had, and of the others, some hundred at most. */
  readonly onShared?: (requestId: string, others: readonly string[]) => void;
}

/** Access keys that may wait for the parent on one day; more are told to come back, so that memory stays bounded. */
const MOST_WAITING = 20_000;
/** Ids of requests that are remembered of a batch. */
const MOST_REQUEST_IDS = 100;
const SHORTEST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Asks the parent for many access keys with few requests: one request a day is under way at a time, whoever misses
 * meanwhile joins the next, and nobody is asked for twice. After a failure the lane stays closed for a pause
 * in which misses fail at once: from nothing up to a growing ceiling, by chance (full jitter), so that a parent that
 * comes back is not asked by everyone together, and nobody queues up for one that is down.
 */
export class LookupBatches<Key> {
  readonly #options: LookupBatchesOptions<Key>;
  readonly #lanes = new Map<ScopeDate, Lane<Key>>();

  constructor(options: LookupBatchesOptions<Key>) {
    this.#options = options;
  }

  isAsking(date: ScopeDate, accessKeyId: string): boolean {
    const lane = this.#lanes.get(date);
    return lane !== undefined && (lane.asked.has(accessKeyId) || lane.queued.has(accessKeyId));
  }

  ask(date: ScopeDate, accessKeyId: string, requestId?: string): Promise<Finding<Key>> {
    const lane = this.#laneOf(date);
    const known = lane.asked.get(accessKeyId) ?? lane.queued.get(accessKeyId);
    if (known) {
      const isAsked = lane.asked.has(accessKeyId);
      note(isAsked ? lane.askedFor : lane.queuedFor, requestId);
      (isAsked ? lane.askedTogether : lane.queuedTogether).join();
      return known.promise;
    }
    if (this.#options.clock.now() < lane.closedUntil) return Promise.reject(new KeydError('parent-unavailable'));
    if (lane.queued.size >= MOST_WAITING) return Promise.reject(new KeydError('too-many-requests'));
    const waiting = newWaiting<Key>();
    lane.queued.set(accessKeyId, waiting);
    note(lane.queuedFor, requestId);
    lane.queuedTogether.join();
    // Those who miss in the same turn of the event loop go together.
    if (lane.asked.size === 0 && lane.queued.size === 1) queueMicrotask(() => this.#send(date, lane));
    return waiting.promise;
  }

  #laneOf(date: ScopeDate): Lane<Key> {
    const known = this.#lanes.get(date);
    if (known) return known;
    const lane: Lane<Key> = {
      queued: new Map(),
      asked: new Map(),
      queuedFor: new Set(),
      askedFor: new Set(),
      queuedTogether: new AskedTogether(),
      askedTogether: new AskedTogether(),
      failures: 0,
      closedUntil: 0,
    };
    this.#lanes.set(date, lane);
    return lane;
  }

  #send(date: ScopeDate, lane: Lane<Key>): void {
    for (const [id, waiting] of lane.queued) {
      if (lane.asked.size === this.#options.mostAtOnce) break;
      lane.queued.delete(id);
      lane.asked.set(id, waiting);
    }
    lane.askedFor = lane.queuedFor;
    lane.queuedFor = new Set();
    lane.askedTogether = lane.queuedTogether;
    lane.queuedTogether = new AskedTogether();
    const [requestId] = lane.askedFor;
    const fetched = lane.askedTogether.ask(() => this.#options.fetch(date, [...lane.asked.keys()], requestId));
    void fetched.then(
      (answer) => this.#settle(date, lane, answer),
      (error: unknown) => this.#fail(lane, error),
    );
  }

  #settle(date: ScopeDate, lane: Lane<Key>, answer: KeyAnswer<Key>): void {
    lane.failures = 0;
    this.#tellShared(lane);
    for (const [id, waiting] of lane.asked)
      waiting.resolve(answer.issued.get(id) ?? answer.absent.get(id) ?? 'unknown');
    lane.asked.clear();
    if (lane.queued.size > 0) this.#send(date, lane);
    else this.#lanes.delete(date);
  }

  #fail(lane: Lane<Key>, error: unknown): void {
    lane.failures += 1;
    this.#tellShared(lane);
    const ceiling = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** (lane.failures - 1));
    lane.closedUntil = this.#options.clock.now() + ceiling * this.#options.random();
    for (const waiting of [...lane.asked.values(), ...lane.queued.values()]) waiting.reject(error);
    lane.asked.clear();
    lane.queued.clear();
    lane.queuedFor.clear();
    lane.queuedTogether = new AskedTogether();
  }

  #tellShared({ askedFor }: Lane<Key>): void {
    const [first, ...others] = askedFor;
    if (first !== undefined && others.length > 0) this.#options.onShared?.(first, others);
  }
}

function note(requestIds: Set<string>, requestId: string | undefined): void {
  if (requestId !== undefined && requestIds.size < MOST_REQUEST_IDS) requestIds.add(requestId);
}

function newWaiting<Key>(): Waiting<Key> {
  let resolve: Waiting<Key>['resolve'] = () => undefined;
  let reject: Waiting<Key>['reject'] = () => undefined;
  const promise = new Promise<Finding<Key>>((onResolved, onRejected) => {
    resolve = onResolved;
    reject = onRejected;
  });
  return { promise, resolve, reject };
}
