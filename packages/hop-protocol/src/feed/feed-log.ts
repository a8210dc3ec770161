import type { FeedProblem } from '@sigv4-keyd/revocation';
import type { Clock } from '../clock.js';

/** The part of a service's log that following the feed needs. */
export interface FeedLog {
  info(line: object, message: string): void;
  warn(line: object, message: string): void;
  error(line: object, message: string): void;
}

/** The same refusal by the same source is told again after this long, with how often it came, milliseconds. */
const TELL_AGAIN_AFTER_MS = 60_000;
/** For how long a source may bring nothing but what is older than what is held before that is told, milliseconds. */
const BEHIND_FOR_MS = 15_000;

interface Told {
  readonly at: number;
  since: number;
}

/** Tells what sources bring that cannot be believed: each at once, the repetitions once a minute with their number. */
export class FeedRefusals {
  readonly #clock: Clock;
  readonly #log: FeedLog;
  readonly #told = new Map<string, Told>();
  readonly #behindSince = new Map<string, number>();

  constructor(clock: Clock, log: FeedLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `statement`: of a single statement; `document`: of the beacon, and so of the document as a whole. */
  refused(source: string, what: 'document' | 'statement', code: FeedProblem, detail?: string): void {
    // Two honest sources are never in step: one that is behind by a beat repeats what the other has told already. Only
    // one that stays behind replays, or is cut off.
    if (code === 'version-backwards' && !this.#isLongBehind(source)) return;
    const kind = `${source} ${what} ${code}`;
    const now = this.#clock.now();
    const told = this.#told.get(kind);
    if (told !== undefined && now - told.at < TELL_AGAIN_AFTER_MS) {
      told.since += 1;
      return;
    }
    this.#told.set(kind, { at: now, since: 0 });
    const line = {
      event: `feed-${what}-refused`,
      security: true,
      source,
      code,
      ...(detail !== undefined && { detail }),
    };
    this.#log.error({ ...line, ...(told && { repeated: told.since }) }, 'the feed brought what is not believed');
  }

  /** The source brought a document that is believed. */
  accepted(source: string): void {
    this.#behindSince.delete(source);
  }

  #isLongBehind(source: string): boolean {
    const now = this.#clock.now();
    const since = this.#behindSince.get(source) ?? now;
    this.#behindSince.set(source, since);
    return now - since >= BEHIND_FOR_MS;
  }
}
