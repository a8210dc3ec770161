import type { Cancel, Clock } from '../clock.js';

/** What status tells of a parent. Instants are epoch milliseconds. */
export interface ParentStatus {
  readonly url: string;
  readonly isHealthy: boolean;
  /** Since when it is what it is. */
  readonly since: number;
  /** The last answer of any kind; undefined: none yet. */
  readonly answeredAt: number | undefined;
  /** Whether the next question goes to it first. */
  readonly isChosen: boolean;
  /** Why it is not healthy. */
  readonly failure: string | undefined;
}

export interface ParentHealthOptions {
  /** Nearest first. */
  readonly urls: readonly URL[];
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  /** Resolves when the parent says that it can do its work. */
  readonly probe: (url: URL, signal: AbortSignal) => Promise<unknown>;
  /** Told when a parent is put aside, with the reason, and when it is well again, without one. */
  readonly onChange: (url: URL, failure: unknown) => void;
}

interface Parent {
  readonly url: URL;
  isHealthy: boolean;
  since: number;
  answeredAt: number | undefined;
  failure: string | undefined;
  /** Failures and failed probes in a row. */
  strikes: number;
  isProbing: boolean;
  cancelProbe: Cancel;
}

/** The longest pause before the first probe of a parent that was put aside; doubled with each probe that fails. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** At least, so that no stroke of luck makes a loop. */
const LEAST_PAUSE_MS = 50;
/** Who fails again sooner than this begins with the pause that was reached before: a liar passes its probes. */
const FORGIVEN_AFTER_MS = 60_000;
const MOST_FAILURE_CHARACTERS = 300;

/**
 * Which parents are well, as all who ask them from this process have found: what one caller has learnt, the others need
 * not find out. Whoever fails is put aside for a jittered, growing pause, and asked after it whether it can work again.
 */
export class ParentHealth {
  readonly #options: ParentHealthOptions;
  readonly #parents: ReadonlyMap<string, Parent>;
  readonly #closing = new AbortController();

  constructor(options: ParentHealthOptions) {
    this.#options = options;
    const since = options.clock.now();
    this.#parents = new Map(options.urls.map((url) => [url.origin, newParent(url, since)]));
  }

  /** The healthy ones first, each group in the order given. The others stay a last resort: they may be well by now. */
  inOrder(urls: readonly URL[]): readonly URL[] {
    const isHealthy = (url: URL): boolean => this.#parents.get(url.origin)?.isHealthy ?? true;
    return [...urls.filter(isHealthy), ...urls.filter((url) => !isHealthy(url))];
  }

  answered(url: URL): void {
    const parent = this.#parents.get(url.origin);
    if (parent) parent.answeredAt = this.#options.clock.now();
  }

  /** No answer, or none that can be believed. `askedAt`: news from before its last change of health is old. */
  failed(url: URL, failure: unknown, askedAt: number): void {
    const parent = this.#parents.get(url.origin);
    if (!parent || askedAt < parent.since || this.#closing.signal.aborted) return;
    if (parent.isHealthy) this.#putAside(parent, failure);
  }

  /** It answered that it could not do what it was asked: that may be its own trouble, or that of the tier above it. */
  doubted(url: URL): void {
    const parent = this.#parents.get(url.origin);
    if (parent?.isHealthy) void this.#probe(parent);
  }

  get status(): readonly ParentStatus[] {
    const chosen = this.inOrder(this.#options.urls)[0];
    return [...this.#parents.values()].map(({ url, isHealthy, since, answeredAt, failure }) => ({
      url: url.origin,
      isHealthy,
      since,
      answeredAt,
      isChosen: url.origin === chosen?.origin,
      failure,
    }));
  }

  /** Ends the probes. */
  close(): void {
    this.#closing.abort();
    for (const { cancelProbe } of this.#parents.values()) cancelProbe();
  }

  #putAside(parent: Parent, failure: unknown): void {
    const now = this.#options.clock.now();
    const isForgiven = now - parent.since >= FORGIVEN_AFTER_MS;
    parent.strikes = isForgiven ? 1 : parent.strikes + 1;
    parent.isHealthy = false;
    parent.since = now;
    parent.failure = sentenceOf(failure);
    this.#options.onChange(parent.url, failure);
    this.#probeLater(parent);
  }

  #probeLater(parent: Parent): void {
    const { clock, random } = this.#options;
    // Full jitter: those who lost the same parent together do not come back together.
    const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (parent.strikes - 1));
    parent.cancelProbe();
    parent.cancelProbe = clock.after(Math.max(LEAST_PAUSE_MS, random() * ceiling), () => void this.#probe(parent));
  }

  async #probe(parent: Parent): Promise<void> {
    if (parent.isProbing) return;
    parent.isProbing = true;
    const { signal } = this.#closing;
    let failure: unknown;
    try {
      await this.#options.probe(parent.url, signal);
    } catch (error) {
      failure = error;
    }
    parent.isProbing = false;
    if (signal.aborted) return;
    if (failure === undefined) this.#isWell(parent);
    else if (parent.isHealthy) this.#putAside(parent, failure);
    else this.#isStillUnwell(parent, failure);
  }

  #isWell(parent: Parent): void {
    const now = this.#options.clock.now();
    parent.answeredAt = now;
    if (parent.isHealthy) return;
    parent.cancelProbe();
    parent.isHealthy = true;
    parent.since = now;
    parent.failure = undefined;
    this.#options.onChange(parent.url, undefined);
  }

  #isStillUnwell(parent: Parent, failure: unknown): void {
    parent.failure = sentenceOf(failure);
    parent.strikes += 1;
    this.#probeLater(parent);
  }
}

function newParent(url: URL, since: number): Parent {
  return {
    url,
    isHealthy: true,
    since,
    answeredAt: undefined,
    failure: undefined,
    strikes: 0,
    isProbing: false,
    cancelProbe: () => undefined,
  };
}

/** Where one error stands for another, the first cause says the most. */
function sentenceOf(failure: unknown): string {
  const { cause } = failure instanceof Error ? failure : {};
  const told = cause instanceof Error ? cause : failure;
  return (told instanceof Error ? told.message : String(told)).slice(0, MOST_FAILURE_CHARACTERS);
}
