import {
  errorCodeOf,
  JOURNAL_PATH,
  journalReceipt,
  type Cancel,
  type Clock,
  type JournalReceipt,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';
import { JournalError, type IssuanceRecord } from '@sigv4-keyd/ledger';
import type { Logger } from '../logging.js';
import type { RecordJournal } from '../record-journal.js';
import { JournalMismatch, whereToGoOn } from './where-to-go-on.js';
import { journalPage } from './journal-page.js';

export interface JournalUploadOptions {
  readonly journal: RecordJournal<IssuanceRecord>;
  readonly master: PeerClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** Brings the records of the journal to the master, in order, each until it is acknowledged, with waits that grow. */
export class JournalUpload {
  readonly #options: JournalUploadOptions;
  readonly #stopping = new AbortController();
  #sending: Promise<void> | undefined;
  /** The record to send next; undefined until the master has told. */
  #next: number | undefined;
  #failure: string | undefined;
  #waitMs = FIRST_WAIT_MS;
  #cancelWait: Cancel | undefined;

  constructor(options: JournalUploadOptions) {
    this.#options = options;
  }

  /** Returns the end of it, which waits for what is under way. */
  start(): () => Promise<void> {
    this.wake();
    return async () => {
      this.#stopping.abort();
      this.#cancelWait?.();
      await this.#sending;
    };
  }

  /** There may be something to send. While the master is known to be out of reach, its turn comes with the next try. */
  wake(): void {
    if (this.#cancelWait === undefined) void this.send();
  }

  /** Sends all that waits. Never rejects: a failure is told once and tried again. */
  send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      // Recorded between the last look and now.
      if (this.#failure === undefined && this.#isBehind()) this.wake();
    });
    return this.#sending;
  }

  /** Records that the master does not have yet. */
  get behind(): number {
    const { end, uploaded } = this.#options.journal.current;
    return end.seq - uploaded.seq;
  }

  status(): object {
    const { end, uploaded, id } = this.#options.journal.current;
    return {
      id,
      recorded: end.seq,
      uploaded: uploaded.seq,
      behind: this.behind,
      ...(this.#failure !== undefined && { failure: this.#failure }),
    };
  }

  /** Why records do not go up, in words. */
  warnings(): readonly string[] {
    return this.#failure === undefined ? [] : [`the journal is not taken by the master: ${this.#failure}`];
  }

  #isBehind(): boolean {
    return !this.#stopping.signal.aborted && this.behind > 0;
  }

  async #sendAll(): Promise<void> {
    const { log } = this.#options;
    try {
      while (!this.#stopping.signal.aborted && (await this.#sendPage())) continue;
      if (this.#failure !== undefined) log.info('the master takes the journal again');
      this.#failure = undefined;
      this.#waitMs = FIRST_WAIT_MS;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#tell(error);
      // What the master expects may have changed.
      this.#next = undefined;
      this.#tryLater();
    }
  }

  /** False when there was nothing to send. */
  async #sendPage(): Promise<boolean> {
    const journal = this.#options.journal.current;
    this.#next ??= await whereToGoOn(journal, await this.#receipt(journal.id));
    const entries = await journalPage(journal, this.#next);
    if (entries.length === 0) return false;
    const { next } = await this.#post({ journal: journal.id, entries });
    // Only what the master says that it holds, and never more than was sent.
    const held = Math.min(next - 1, entries.at(-1)?.seq ?? 0);
    await journal.markUploaded(held);
    this.#next = held + 1;
    return true;
  }

  #receipt(journal: string): Promise<JournalReceipt> {
    const path = `${JOURNAL_PATH}?journal=${journal}`;
    const { signal } = this.#stopping;
    return this.#options.master.call({ method: 'GET', path, answer: journalReceipt, signal });
  }

  #post(body: object): Promise<JournalReceipt> {
    const { signal } = this.#stopping;
    return this.#options.master.call({ method: 'POST', path: JOURNAL_PATH, body, answer: journalReceipt, signal });
  }

  #tell(error: unknown): void {
    const { log } = this.#options;
    const failure = sentenceOf(error);
    if (failure !== this.#failure) {
      if (isTampering(error)) {
        const event = { event: 'journal-refused', security: true, err: error };
        log.error(event, 'ALARM: the journal does not go on where the master has it; keep its folder as evidence');
      } else log.warn({ err: error }, 'the journal cannot be brought to the master; records wait on disk');
    }
    this.#failure = failure;
  }

  #tryLater(): void {
    const { clock, random } = this.#options;
    const waitMs = this.#waitMs * (0.5 + random() / 2);
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
    this.#cancelWait = clock.after(waitMs, () => {
      this.#cancelWait = undefined;
      void this.send();
    });
  }
}

function isTampering(error: unknown): boolean {
  const code = errorCodeOf(error);
  return (
    error instanceof JournalError ||
    error instanceof JournalMismatch ||
    code === 'journal-gap' ||
    code === 'journal-fork'
  );
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
