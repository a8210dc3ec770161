import { join } from 'node:path';
import type { Clock, PeerClient, RegionReport } from '@sigv4-keyd/hop-protocol';
import { issuanceRecordForm, type IssuanceRecord, type MakeDurable } from '@sigv4-keyd/ledger';
import { LedgerWatch, type LedgerWatchSettings } from '../ledger-watch.js';
import type { Logger } from '../logging.js';
import type { Readings } from '../metrics/definitions.js';
import { RecordJournal } from '../record-journal.js';
import { JournalUpload } from './journal-upload.js';

const CHECKPOINT_EVERY_MS = 5_000;

export interface IssuerLedgerContext {
  readonly master: PeerClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly makeDurable?: MakeDurable;
}

/** All that a tier below the master that issues does about the ledger: its own journal, and the watch over the log. */
export class IssuerLedger {
  readonly #journal: RecordJournal<IssuanceRecord>;
  readonly #upload: JournalUpload;
  /** Over the master's log. */
  readonly watch: LedgerWatch;

  private constructor(journal: RecordJournal<IssuanceRecord>, upload: JournalUpload, watch: LedgerWatch) {
    this.#journal = journal;
    this.#upload = upload;
    this.watch = watch;
  }

  /** @throws StartError */
  static async open(configuration: LedgerWatchSettings, context: IssuerLedgerContext): Promise<IssuerLedger> {
    const { master, clock, log, makeDurable } = context;
    const watch = await LedgerWatch.open(configuration, { parent: master, clock, log, everyMs: CHECKPOINT_EVERY_MS });
    const folder = join(configuration.stateFolder, 'journal');
    const form = issuanceRecordForm;
    const journal = await RecordJournal.open({ folder, form, log, ...(makeDurable && { makeDurable }) });
    return new IssuerLedger(journal, new JournalUpload({ ...context, journal }), watch);
  }

  start(): void {
    this.#stopWatching = this.watch.start();
    this.#stopUploading = this.#upload.start();
  }

  async close(): Promise<void> {
    await this.#stopWatching();
    await this.#stopUploading();
    await this.#journal.close();
  }

  /** Resolves once the record is durable here. Rejects with KeydError 'journal-unavailable': release nothing then. */
  async record(record: IssuanceRecord): Promise<void> {
    await this.#journal.record(record);
    this.#upload.wake();
  }

  notReady(): readonly string[] {
    const { failure } = this.#journal;
    return failure === undefined ? [] : [`what is issued cannot be recorded, so that nothing is: ${failure}`];
  }

  warnings(): readonly string[] {
    return [...this.watch.warnings(), ...this.#upload.warnings()];
  }

  status(): { readonly ledger: object; readonly journal: object } {
    return { ledger: this.watch.status(), journal: this.#upload.status() };
  }

  readings(): Pick<Readings<'region-keyd'>, 'keyd_journal_waiting_records' | 'keyd_journal_failing'> {
    return {
      keyd_journal_waiting_records: this.#upload.behind,
      keyd_journal_failing: this.#journal.failure === undefined ? 0 : 1,
    };
  }

  /** The newest checkpoint that was accepted, as reports carry it up. */
  seen(): Pick<RegionReport, 'checkpoint'> {
    const { newest } = this.watch;
    return newest ? { checkpoint: { size: newest.size, note: newest.note } } : {};
  }

  #stopWatching = (): Promise<void> => Promise.resolve();
  #stopUploading = (): Promise<void> => Promise.resolve();
}
