import { relative } from 'node:path';

type Counts = Record<number, number>;

/** What istanbul's counters of one file look like: statements, and the arms of branches. */
interface FileCounts {
  readonly path: string;
  readonly s: Counts;
  readonly b: Record<number, Counts>;
}

interface Counter {
  readonly counts: Counts;
  readonly length: number;
  readonly isStatement: boolean;
}

/** What one input ran. */
export interface Observation {
  /** Counters of what none before it ran, or ran as often. */
  readonly fresh: readonly number[];
  readonly statements: number;
}

/** Which class a number of hits falls in, as one bit: how often a loop ran counts, but not to the last time. */
export type HitClass = (hits: number) => number;

export const FINE: HitClass = (hits) =>
  1 << (hits < 4 ? hits - 1 : hits < 8 ? 3 : hits < 16 ? 4 : hits < 64 ? 5 : hits < 256 ? 6 : 7);
/** Ran or not. */
export const COARSE: HitClass = () => 1;

/** Reads the counters of the instrumented code that lies below some folders. */
export class Coverage {
  readonly #counters: readonly Counter[];
  readonly #seen: Uint8Array;
  readonly #classOf: HitClass;

  constructor(folders: readonly string[], classOf: HitClass = FINE) {
    this.#counters = countersBelow(folders);
    this.#seen = new Uint8Array(this.#counters.reduce((sum, { length }) => sum + length, 0));
    this.#classOf = classOf;
  }

  /** Statements and arms of branches that there are. */
  get size(): number {
    return this.#seen.length;
  }

  /** Those that were run so far. */
  get reached(): number {
    return this.#seen.reduce((sum, classes) => sum + (classes === 0 ? 0 : 1), 0);
  }

  /** Forgets what was counted since the last observation. */
  reset(): void {
    for (const { counts, length } of this.#counters) for (let at = 0; at < length; at += 1) counts[at] = 0;
  }

  /** Whether these were run since the last reset. */
  hasRun(counters: readonly number[]): boolean {
    const wanted = new Set(counters);
    let base = 0;
    for (const { counts, length } of this.#counters) {
      for (let at = 0; at < length; at += 1) if ((counts[at] ?? 0) > 0) wanted.delete(base + at);
      base += length;
    }
    return wanted.size === 0;
  }

  /** What was run since the last reset. */
  observe(): Observation {
    const fresh: number[] = [];
    let statements = 0;
    let base = 0;
    for (const { counts, length, isStatement } of this.#counters) {
      for (let at = 0; at < length; at += 1) {
        const hits = counts[at] ?? 0;
        if (hits === 0) continue;
        if (isStatement) statements += hits;
        const classes = this.#seen[base + at] ?? 0;
        const now = classes | this.#classOf(hits);
        if (now === classes) continue;
        this.#seen[base + at] = now;
        fresh.push(base + at);
      }
      base += length;
    }
    return { fresh, statements };
  }
}

function countersBelow(folders: readonly string[]): readonly Counter[] {
  const { __coverage__: files = {} } = globalThis as { __coverage__?: Record<string, FileCounts> };
  const chosen = Object.values(files)
    .filter(({ path }) => folders.some((folder) => relative(process.cwd(), path).startsWith(folder)))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
  if (chosen.length === 0) throw new Error(`no instrumented code below ${folders.join(', ')}`);
  return chosen.flatMap(({ s, b }) => [counterOf(s, true), ...Object.values(b).map((arms) => counterOf(arms, false))]);
}

function counterOf(counts: Counts, isStatement: boolean): Counter {
  return { counts, length: Object.keys(counts).length, isStatement };
}
