import {
  KeydError,
  spiffeIdOf,
  type JournalReceipt,
  type JournalUpload,
  type UploadedEntry,
} from '@sigv4-keyd/hop-protocol';
import { chainGenesis, chainNext, type ChainPosition } from '@sigv4-keyd/ledger';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import type { KeyTaker } from '../audit.js';
import { inTransaction, type Transaction } from '../database/transaction.js';
import { storeRefusal, type JournalRefusal } from './journal-refusals.js';
import {
  findJournal,
  lockJournal,
  storeTaken,
  takenHashes,
  type JournalName,
  type TakenEntry,
} from './journal-table.js';
import { insertRecords } from './record-table.js';
import { recordOf } from './uploaded-record.js';

export interface JournalsOptions {
  readonly pool: Pool;
  readonly log: Logger;
  readonly now: () => number;
}

/** Takes what regions and deputies have recorded of the keys that they gave out: each record once, in order, no gap. */
export class Journals {
  readonly #options: JournalsOptions;

  constructor(options: JournalsOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the records are durable here, those that came before among them. Rejects with KeydError
   * 'journal-gap' or 'journal-fork', which is told loudly, or 'malformed-request'; nothing was taken then.
   */
  async take(issuer: KeyTaker, { journal, entries }: JournalUpload): Promise<JournalReceipt> {
    const name: JournalName = { peer: spiffeIdOf(issuer), journal };
    const { pool, now, log } = this.#options;
    const genesis = chainGenesis(journal);
    try {
      const taken = await inTransaction(pool, async (transaction) => {
        const { end, ...before } = await lockJournal(transaction, name, { genesis, at: now() });
        const fresh = await this.#afterKnown(transaction, name, entries, end);
        const reached = await store(transaction, issuer, name, fresh, end);
        return { reached, ...before };
      });
      if (taken.isRefused) log.info({ ...name, next: taken.reached.seq + 1 }, 'the journal is taken again');
      if (taken.isSuccessor) {
        const event = { event: 'journal-begun-anew', security: true, ...name };
        log.warn(event, 'a new journal is begun; what the one before held and was not uploaded never comes');
      }
      return { journal, next: taken.reached.seq + 1 };
    } catch (error) {
      if (error instanceof KeydError && isJournalRefusal(error.code))
        await this.#tell(name, error.code, error, genesis);
      throw error;
    }
  }

  /** How far the journal was taken. */
  async receipt(issuer: KeyTaker, journal: string): Promise<JournalReceipt> {
    const name = { peer: spiffeIdOf(issuer), journal };
    const known = await inTransaction(this.#options.pool, (transaction) => findJournal(transaction, name));
    return { journal, next: (known?.end.seq ?? 0) + 1 };
  }

  /** What of an upload is new. What was taken before must be the very same: a lost answer makes a region send twice. */
  async #afterKnown(
    transaction: Transaction,
    name: JournalName,
    entries: readonly UploadedEntry[],
    end: ChainPosition,
  ): Promise<readonly UploadedEntry[]> {
    const known = entries.filter(({ seq }) => seq <= end.seq);
    const [first, last] = [known[0], known.at(-1)];
    if (first && last) {
      const hashes = await takenHashes(transaction, name, { first: first.seq, last: last.seq });
      for (const { seq, hash } of known) if (hashes.get(seq) !== hash) throw fork(seq);
    }
    return entries.slice(known.length);
  }

  async #tell(name: JournalName, refusal: JournalRefusal, error: KeydError, genesis: ChainPosition): Promise<void> {
    const { pool, log, now } = this.#options;
    const event = { event: refusal, security: true, ...name, detail: error.detail };
    log.error(event, `ALARM: a journal is refused: ${error.message}`);
    await storeRefusal(pool, name, { refusal, at: now(), genesisHash: genesis.hash });
  }
}

async function store(
  transaction: Transaction,
  issuer: KeyTaker,
  name: JournalName,
  entries: readonly UploadedEntry[],
  before: ChainPosition,
): Promise<ChainPosition> {
  const taken: TakenEntry[] = [];
  let end = before;
  for (const { seq, hash, record } of entries) {
    if (seq !== end.seq + 1) throw gap(seq, end.seq + 1);
    end = chainNext(end, record);
    if (end.hash !== hash) throw fork(seq);
    taken.push({ seq, hash, record: recordOf(issuer, seq, record) });
  }
  if (taken.length === 0) return end;
  const stored = await insertRecords(
    transaction,
    taken.map(({ record }) => record),
  );
  if (stored < taken.length) {
    throw new KeydError('malformed-request', { detail: 'a record has the id of another one of this issuer' });
  }
  await storeTaken(transaction, name, taken, end);
  return end;
}

function gap(seq: number, expected: number): KeydError {
  return new KeydError('journal-gap', { detail: `record ${seq} came where ${expected} is to come` });
}

function fork(seq: number): KeydError {
  return new KeydError('journal-fork', { detail: `record ${seq} is not the one that the journal had or leads to` });
}

function isJournalRefusal(code: string): code is JournalRefusal {
  return code === 'journal-gap' || code === 'journal-fork';
}
