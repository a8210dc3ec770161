import { join } from 'node:path';
import { KeydError } from '@sigv4-keyd/hop-protocol';
import {
  issuanceRecordForm,
  JournalError,
  openJournal,
  type IssuanceRecord,
  type Journal,
  type MakeDurable,
} from '@sigv4-keyd/ledger';
import { StartError, type Logger } from '@sigv4-keyd/service-skeleton';

export interface IssuanceJournalOptions {
  readonly stateFolder: string;
  readonly log: Logger;
  readonly makeDurable?: MakeDurable;
}

/** The records of what this region gives to its edges. Nothing is released before its record is on disk here. */
export class IssuanceJournal {
  readonly #options: IssuanceJournalOptions;
  #journal: Journal<IssuanceRecord>;
  #failure: JournalError | undefined;
  #mustReopen = false;
  #reopening: Promise<void> | undefined;

  private constructor(options: IssuanceJournalOptions, journal: Journal<IssuanceRecord>) {
    this.#options = options;
    this.#journal = journal;
  }

  /** @throws StartError for a journal that is damaged, in use, or cannot be written */
  static async open(options: IssuanceJournalOptions): Promise<IssuanceJournal> {
    try {
      const journal = await openIn(options);
      if (journal.torn) options.log.warn({ torn: journal.torn }, 'a record that a crash had torn was cut off');
      return new IssuanceJournal(options, journal);
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      throw new StartError(`${folderIn(options)}: ${error.message}`, 78, error);
    }
  }

  /** To read from, and to mark what was uploaded. Another object after a failure of the disk. */
  get current(): Journal<IssuanceRecord> {
    return this.#journal;
  }

  /** Why nothing can be recorded, and so nothing released; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure?.message;
  }

  /** Resolves once the record is durable. Rejects with KeydError 'journal-unavailable': release nothing then. */
  async record(record: IssuanceRecord): Promise<void> {
    const { log } = this.#options;
    try {
      // After a failed sync nobody knows what is on disk: reading it anew tells.
      if (this.#mustReopen) await this.#reopen();
      await this.#journal.append(record);
      if (this.#failure) log.info('issuances are recorded again');
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      if (this.#failure === undefined) {
        log.error({ event: 'journal-unavailable', err: error }, 'an issuance cannot be recorded; nothing is released');
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

function folderIn({ stateFolder }: IssuanceJournalOptions): string {
  return join(stateFolder, 'journal');
}

function openIn(options: IssuanceJournalOptions): Promise<Journal<IssuanceRecord>> {
  const { makeDurable } = options;
  return openJournal({ folder: folderIn(options), form: issuanceRecordForm, ...(makeDurable && { makeDurable }) });
}
