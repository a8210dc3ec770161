import { KeydError } from '@sigv4-keyd/hop-protocol';
import { JournalError, openJournal, type Journal, type MakeDurable, type RecordForm } from '@sigv4-keyd/ledger';
import type { Logger } from './logging.js';
import { StartError } from './start-error.js';

export interface RecordJournalOptions<Record> {
  /** A folder of the journal's own. */
  readonly folder: string;
  readonly form: RecordForm<Record>;
  readonly log: Logger;
  readonly makeDurable?: MakeDurable;
}

/** The records of what a service releases. Nothing is released before its record is on disk here. */
export class RecordJournal<Record> {
  readonly #options: RecordJournalOptions<Record>;
  #journal: Journal<Record>;
  #failure: JournalError | undefined;
  #mustReopen = false;
  #reopening: Promise<void> | undefined;

  private constructor(options: RecordJournalOptions<Record>, journal: Journal<Record>) {
    this.#options = options;
    this.#journal = journal;
  }

  /** @throws StartError for a journal that is damaged, in use, or cannot be written */
  static async open<Record>(options: RecordJournalOptions<Record>): Promise<RecordJournal<Record>> {
    try {
      const journal = await openIn(options);
      if (journal.torn) options.log.warn({ torn: journal.torn }, 'a record that a crash had torn was cut off');
      return new RecordJournal(options, journal);
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      throw new StartError(`${options.folder}: ${error.message}`, 78, error);
    }
  }

  /** To read from, and to mark what was uploaded. Another object after a failure of the disk. */
  get current(): Journal<Record> {
    return this.#journal;
  }

  /** Why nothing can be recorded, and so nothing released; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure?.message;
  }

  /** Resolves once the record is durable. Rejects with KeydError 'journal-unavailable': release nothing then. */
  async record(record: Record): Promise<void> {
    const { log } = this.#options;
    try {
      // After a failed sync nobody knows what is on disk: reading it anew tells.
      if (this.#mustReopen) await this.#reopen();
      await this.#journal.append(record);
      if (this.#failure) log.info('what is released is recorded again');
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      if (this.#failure === undefined) {
        log.error(
          { event: 'journal-unavailable', err: error },
          'what is to be released cannot be recorded; nothing is released',
        );
      }
      this.#failure = error;
      this.#mustReopen ||= error.code === 'write-failed';
      throw new KeydError('journal-unavailable', { detail: error.code, cause: error });
    }
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #reopen(): Promise<void> {
    this.#reopening ??= this.#openAgain().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #openAgain(): Promise<void> {
    await this.#journal.close();
    this.#journal = await openIn(this.#options);
    this.#mustReopen = false;
  }
}

function openIn<Record>({ folder, form, makeDurable }: RecordJournalOptions<Record>): Promise<Journal<Record>> {
  return openJournal({ folder, form, ...(makeDurable && { makeDurable }) });
}
