import { ledgerOrigin } from '@sigv4-keyd/hop-protocol';
import {
  LedgerError,
  MerkleFrontier,
  appendToTiles,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  sameHash,
  signCheckpoint,
  type Checkpoint,
  type NoteSigner,
} from '@sigv4-keyd/ledger';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import { lockSequencing } from '../database/locks.js';
import { inTransaction, type Transaction } from '../database/transaction.js';
import { readHead, storeHead, type LedgerHead } from './head-row.js';
import { insertLeaves, pendingRecords } from './leaf-table.js';
import { tileTable } from './tile-table.js';

export interface SequencerOptions {
  readonly pool: Pool;
  readonly signer: NoteSigner;
  readonly trustDomain: string;
  readonly log: Logger;
}

/** Leaves of one transaction: some 100 ms of work, after which other masters may take over. */
const MOST_LEAVES_A_TURN = 2_000;

/**
 * Makes durable records leaves of the log and signs a checkpoint over them: records, leaves, tiles and checkpoint are
 * of one transaction, so that there is no state in between to recover from. Any master may do it, one at a time.
 */
export class Sequencer {
  readonly #options: SequencerOptions;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /** Sequences all that has committed, unless another master does so now. Rejects when the log cannot go on. */
  async sequence(): Promise<void> {
    const { pool } = this.#options;
    while ((await inTransaction(pool, (transaction) => this.#turn(transaction))) === MOST_LEAVES_A_TURN) continue;
  }

  /** Returns how many leaves it appended. */
  async #turn(transaction: Transaction): Promise<number> {
    if (!(await lockSequencing(transaction))) return 0;
    const head = await readHead(transaction);
    const isOurs = head !== undefined && this.#isOurs(head);
    const records = await pendingRecords(transaction, MOST_LEAVES_A_TURN);
    if (records.length === 0 && isOurs) return 0;
    const frontier = head?.frontier ?? new MerkleFrontier();
    const first = frontier.size;
    const hashes = records.map(({ leafHash }) => leafHash);
    await insertLeaves(transaction, first, records);
    await appendToTiles(tileTable(transaction), first, hashes);
    for (const hash of hashes) frontier.append(hash);
    await storeHead(transaction, { size: frontier.size, frontier, note: this.#sign(frontier) });
    return records.length;
  }

  #sign(frontier: MerkleFrontier): string {
    const { signer, trustDomain } = this.#options;
    const origin = ledgerOrigin(trustDomain);
    return signCheckpoint({ origin, size: frontier.size, root: frontier.root(), extensions: [] }, [signer]);
  }

  /**
   * Whether the checkpoint bears our signature. The log goes on only from the tree that was signed: a frontier that
   * somebody exchanged in the database must not get a signature of ours.
   */
  #isOurs(head: LedgerHead): boolean {
    const { signer, trustDomain, log } = this.#options;
    const verifiers = [parseVerifierKey(signer.verifierKey)];
    try {
      requireSame(head, openCheckpoint(head.note, { origin: ledgerOrigin(trustDomain), verifiers }));
      return true;
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'no-known-signature') throw error;
    }
    requireSame(head, parseCheckpoint(parseNote(head.note).text));
    log.warn({ event: 'ledger-key-changed', security: true, size: head.size }, 'the log goes on under another key');
    return false;
  }
}

function requireSame(head: LedgerHead, signed: Checkpoint): void {
  const { frontier } = head;
  const isSame = head.size === signed.size && frontier.size === signed.size && sameHash(frontier.root(), signed.root);
  if (!isSame) throw new LedgerError('malformed-frontier', 'not the tree of the newest checkpoint');
}
