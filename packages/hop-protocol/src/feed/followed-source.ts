import type { Acceptance, FeedDocument } from '@sigv4-keyd/revocation';
import { every, type Cancel, type Clock } from '../clock.js';
import { LONGEST_FEED_WAIT_SECONDS } from '../feed-api.js';
import type { FeedLog } from './feed-log.js';
import type { FeedSource, HeldFeed } from './feed-source.js';

export interface FollowedSourceOptions {
  readonly source: FeedSource;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly log: FeedLog;
  readonly held: () => HeldFeed;
  /** Judges a document. Never rejects. */
  readonly take: (document: FeedDocument, source: string) => Promise<Acceptance>;
}

/** What status tells of a source. */
export interface SourceStatus {
  readonly source: string;
  readonly isReachable: boolean;
  /** Epoch milliseconds of the last answer, of whatever content. */
  readonly answeredAt: number | undefined;
  /** Documents that were taken, and that were refused, since the start. */
  readonly accepted: number;
  readonly refused: number;
}

/** Every source is asked for its present state this often, whatever its long poll does, milliseconds. */
export const FEED_BEAT_MS = 5_000;
/** The longest that a whole document may take on the way, milliseconds: on the beat, and after a long poll's wait. */
const BEAT_DEADLINE_MS = 2 * FEED_BEAT_MS;
const POLL_DEADLINE_MS = LONGEST_FEED_WAIT_SECONDS * 1000 + 60_000;
/** At most between two long polls of which the first brought nothing; doubled with every failure in a row. */
const FIRST_PAUSE_MS = 500;
/** At least, so that no stroke of luck makes a loop. */
const LEAST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 15_000;

/** `news`: go on at once. `nothing`: no fault, but going on at once could be a loop without end. */
type Outcome = 'news' | 'nothing' | 'failed';

/**
 * Asks one source as long as it runs. The long poll carries news at once; the beat beside it asks anew each time, so
 * that no connection that hangs, and no source that sits on its news, delays what another answer would bring.
 */
export class FollowedSource {
  readonly #options: FollowedSourceOptions;
  readonly #asking = new Set<AbortController>();
  #hasEnded = false;
  #stopBeat: Cancel = () => undefined;
  #endPause: Cancel = () => undefined;
  /** Documents that are being judged. */
  readonly #judging = new Set<Promise<Acceptance>>();
  #asksForAll = false;
  /** Undefined until it is known. */
  #isReachable: boolean | undefined;
  #answeredAt: number | undefined;
  #accepted = 0;
  #refused = 0;

  constructor(options: FollowedSourceOptions) {
    this.#options = options;
  }

  start(): void {
    const { source, clock } = this.#options;
    void this.#beat();
    this.#stopBeat = every(clock, FEED_BEAT_MS, () => void this.#beat());
    if (source.waits) void this.#poll();
  }

  /** Ends every request under way. Resolves once nothing is being judged any more. */
  async stop(): Promise<void> {
    this.#hasEnded = true;
    this.#stopBeat();
    this.#endPause();
    for (const asking of this.#asking) asking.abort();
    await Promise.all(this.#judging);
  }

  get status(): SourceStatus {
    return {
      source: this.#options.source.name,
      isReachable: this.#isReachable === true,
      answeredAt: this.#answeredAt,
      accepted: this.#accepted,
      refused: this.#refused,
    };
  }

  async #beat(): Promise<void> {
    // Whoever sends much to be judged is not asked for more meanwhile.
    if (this.#judging.size === 0) await this.#ask(0, BEAT_DEADLINE_MS);
  }

  async #poll(): Promise<void> {
    let failures = 0;
    while (!this.#hasEnded) {
      const outcome = await this.#ask(LONGEST_FEED_WAIT_SECONDS, POLL_DEADLINE_MS);
      if (outcome === 'news') {
        failures = 0;
        continue;
      }
      failures = outcome === 'failed' ? failures + 1 : 0;
      // Full jitter: askers that failed together do not come back together.
      const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      await this.#pause(Math.max(LEAST_PAUSE_MS, this.#options.random() * ceiling));
    }
  }

  async #ask(waitSeconds: number, deadlineMs: number): Promise<Outcome> {
    const { source, clock, held } = this.#options;
    const { version, setHash } = held();
    const asking = new AbortController();
    this.#asking.add(asking);
    const cancel = clock.after(deadlineMs, () => asking.abort(new Error(`no whole answer within ${deadlineMs} ms`)));
    try {
      const known = this.#asksForAll ? undefined : setHash;
      const document = await source.fetch({ version, setHash: known }, waitSeconds, asking.signal);
      this.#answered();
      return document === undefined || this.#hasEnded ? 'nothing' : await this.#judge(document, version);
    } catch (error) {
      this.#failed(error);
      return 'failed';
    } finally {
      cancel();
      this.#asking.delete(asking);
    }
  }

  async #judge(document: FeedDocument, askedWith: number): Promise<Outcome> {
    const { take, source } = this.#options;
    const judging = take(document, source.name);
    this.#judging.add(judging);
    const { beacon } = await judging.finally(() => this.#judging.delete(judging));
    if (beacon.outcome === 'refused') {
      this.#refused += 1;
      // The set may have changed since it was asked with; without it, the answer is whole.
      this.#asksForAll = beacon.code === 'incomplete-set' && document.statements === undefined;
      return 'failed';
    }
    this.#accepted += 1;
    this.#asksForAll = false;
    // Another source may have brought it meanwhile: this one still kept its word.
    return beacon.beacon.version > askedWith ? 'news' : 'nothing';
  }

  #answered(): void {
    const { source, clock, log } = this.#options;
    if (this.#isReachable === false) {
      log.info({ event: 'feed-source-reachable', source: source.name }, 'the feed can be fetched again');
    }
    this.#isReachable = true;
    this.#answeredAt = clock.now();
  }

  #failed(error: unknown): void {
    if (this.#hasEnded) return;
    const { source, log } = this.#options;
    if (this.#isReachable !== false) {
      const line = { event: 'feed-source-unreachable', source: source.name, err: error };
      log.warn(line, 'the feed cannot be fetched from this source; what is held stays in force');
    }
    this.#isReachable = false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
      if (this.#hasEnded) this.#endPause();
    });
  }
}
