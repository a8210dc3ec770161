import { join } from 'node:path';
import {
  COUNTS_KEPT_MS,
  countedCallRecord,
  every,
  MOST_CALLS_A_PAGE,
  type Cancel,
  type Clock,
  type CountedCall,
  type CountedCalls,
} from '@sigv4-keyd/hop-protocol';
import type { MakeDurable } from '@sigv4-keyd/ledger';
import { RecordJournal, type Logger } from '@sigv4-keyd/service-skeleton';

export interface CallCountsOptions {
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly makeDurable?: MakeDurable;
}

const FORGET_EVERY_MS = 3_600_000;

const form = {
  encode: (call: CountedCall): string => JSON.stringify(countedCallRecord.parse(call)),
  decode: (text: string): CountedCall => countedCallRecord.parse(JSON.parse(text)),
};

/** Every call that was answered with something: in a journal, on disk before the answer leaves. */
export class CallCounts {
  readonly #journal: RecordJournal<CountedCall>;
  readonly #clock: Clock;
  readonly #log: Logger;
  #isFailing = false;

  private constructor(journal: RecordJournal<CountedCall>, clock: Clock, log: Logger) {
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
  }

  /** @throws StartError for a journal that is damaged, in use, or cannot be written */
  static async open({ stateFolder, clock, log, makeDurable }: CallCountsOptions): Promise<CallCounts> {
    const folder = join(stateFolder, 'calls');
    const journal = await RecordJournal.open({ folder, form, log, ...(makeDurable && { makeDurable }) });
    return new CallCounts(journal, clock, log);
  }

  /** Forgets old calls from now on, so that the journal does not grow for ever. */
  start(): Cancel {
    return every(this.#clock, FORGET_EVERY_MS, () => this.forget());
  }

  /** Why nothing can be counted, and so nothing answered; undefined while all is well. */
  get failure(): string | undefined {
    return this.#journal.failure;
  }

  /** Of the journal, since it was begun. */
  get counted(): number {
    return this.#journal.current.end.seq;
  }

  status(): object {
    const { id, end, uploaded } = this.#journal.current;
    return { journal: id, counted: end.seq, forgotten: uploaded.seq };
  }

  /** Resolves once the call is counted durably. Rejects with KeydError 'journal-unavailable': answer nothing then. */
  record(call: CountedCall): Promise<void> {
    return this.#journal.record(call);
  }

  /** A page of what was counted; what was forgotten is left out. */
  async page(from: number): Promise<CountedCalls> {
    const journal = this.#journal.current;
    const calls: CountedCall[] = [];
    const first = Math.max(from, journal.uploaded.seq + 1);
    if (first > journal.end.seq) return { calls };
    for await (const { seq, record } of journal.readFrom(first)) {
      if (calls.length === MOST_CALLS_A_PAGE) return { calls, next: seq };
      calls.push(record);
    }
    return { calls };
  }

  /** Removes what is older than any date that keys are still asked for. Never rejects: the next beat tries again. */
  async forget(): Promise<void> {
    const journal = this.#journal.current;
    const before = this.#clock.now() - COUNTS_KEPT_MS;
    let old = journal.uploaded.seq;
    try {
      if (old < journal.end.seq) {
        for await (const { seq, record } of journal.readFrom(old + 1)) {
          if (Date.parse(record.at) >= before) break;
          old = seq;
        }
      }
      await journal.markUploaded(old);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#log.warn({ err: error }, 'old calls cannot be removed; the journal grows');
      this.#isFailing = true;
    }
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}
