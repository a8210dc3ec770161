import { z } from 'zod';

/**
 * The issuance ledger. Regions bring the records of their journals up; regions, edges (through their region) and
 * operators read checkpoints and proofs; operators read the records themselves.
 */
export const JOURNAL_PATH = '/v1/journal';
export const CHECKPOINT_PATH = '/v1/ledger/checkpoint';
export const LEDGER_RECORDS_PATH = '/v1/ledger/records';

export const MOST_RECORDS_A_PAGE = 500;

/** One record of a region's journal: the canonical text, its place in the journal, and the hash that chains it. */
export const journalEntry = z.strictObject({
  seq: z.number().int().nonnegative(),
  hash: z.string().max(128),
  record: z.string().max(1_000_000),
});

export const journalUpload = z.strictObject({
  /** Names the journal: a region that begins a new one is told apart from one that lost records. */
  journal: z.string().max(128),
  entries: z.array(journalEntry).min(1).max(MOST_RECORDS_A_PAGE),
});
export type JournalUpload = z.infer<typeof journalUpload>;

/** Everything below `next` is in the master's log. */
export const journalReceipt = z.object({ journal: z.string(), next: z.number().int().nonnegative() });

/** `from`: the size of the newest checkpoint that the asker has seen; 0 for none. */
export const checkpointQuery = z.strictObject({ from: z.coerce.number().int().min(0).default(0) });
export const checkpointAnswer = z.object({
  /** A C2SP signed note. */
  checkpoint: z.string(),
  /** The consistency proof from `from`, base64 hashes; empty for `from` 0. */
  consistency: z.array(z.string()),
});
export type CheckpointAnswer = z.infer<typeof checkpointAnswer>;

export const ledgerRecordsQuery = z.strictObject({
  from: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(MOST_RECORDS_A_PAGE).default(MOST_RECORDS_A_PAGE),
});
export const ledgerRecords = z.object({
  /** Canonical texts from leaf `from` on, in the order of the log. */
  records: z.array(z.string()),
  size: z.number().int().nonnegative(),
});
