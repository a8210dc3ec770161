import type { Rollup } from '@sigv4-keyd/hop-protocol';
import type { Accepted, ScopeDate } from '@sigv4-keyd/sigv4-core';

type Counted = Pick<Accepted, 'accessKeyId' | 'scope' | 'mechanism'>;

interface Open {
  readonly accessKeyId: string;
  readonly scopeDate: ScopeDate;
  readonly mechanism: Rollup['mechanism'];
  readonly minute: number;
  count: number;
  first: number;
  last: number;
}

export interface TakenCounts {
  readonly rollups: readonly Rollup[];
  /** Roll-ups that did not find room. */
  readonly dropped: number;
}

const MINUTE_MS = 60_000;
/** The most different (access key, day, mechanism, minute) that are held between two seals: some 30 MB. */
const MOST_OPEN = 100_000;

/** What was accepted since the last seal, in memory: constant work and, an access key and minute, constant space. */
export class AcceptanceCounts {
  readonly #mostOpen: number;
  #open = new Map<string, Open>();
  #dropped = 0;

  constructor(mostOpen = MOST_OPEN) {
    this.#mostOpen = mostOpen;
  }

  /** `at` in epoch milliseconds: when the signature was accepted. */
  count({ accessKeyId, scope: { date }, mechanism }: Counted, at: number): void {
    const minute = at - (at % MINUTE_MS);
    this.#add({ accessKeyId, scopeDate: date, mechanism, minute, count: 1, first: at, last: at });
  }

  /** Takes what another process of the same edge has counted. */
  add({ rollups, dropped }: TakenCounts): void {
    for (const { minute, first, last, ...rest } of rollups) {
      this.#add({ ...rest, minute: Date.parse(minute), first: Date.parse(first), last: Date.parse(last) });
    }
    this.#dropped += dropped;
  }

  /** Takes all out: the same minute's next requests begin a roll-up of their own, and the sums come out right. */
  take(): TakenCounts {
    const rollups = [...this.#open.values()].map(rollupOf);
    const dropped = this.#dropped;
    this.#open = new Map();
    this.#dropped = 0;
    return { rollups, dropped };
  }

  #add(counted: Open): void {
    const { accessKeyId, scopeDate, mechanism, minute } = counted;
    const name = `${accessKeyId}/${scopeDate}/${mechanism}/${minute}`;
    const open = this.#open.get(name);
    if (open) {
      open.count += counted.count;
      // A clock that was set back within the minute must not make the last one earlier than the first.
      open.first = Math.min(open.first, counted.first);
      open.last = Math.max(open.last, counted.last);
    } else if (this.#open.size < this.#mostOpen) {
      this.#open.set(name, counted);
    } else {
      this.#dropped += 1;
    }
  }
}

function rollupOf({ minute, first, last, ...rest }: Open): Rollup {
  return { ...rest, minute: iso(minute), first: iso(first), last: iso(last) };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
