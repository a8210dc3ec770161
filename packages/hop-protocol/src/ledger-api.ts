import { z } from 'zod';
import { accessKeyId, regionName, scopeDate } from './schemas.js';

/**
 * The issuance ledger. Regions bring the records of their journals up; regions, edges (through their region) and
 * operators read checkpoints and proofs; operators read the records themselves.
 */
/** POST takes records of a journal; GET tells how far the master has them. */
export const JOURNAL_PATH = '/v1/journal';
export const CHECKPOINT_PATH = '/v1/ledger/checkpoint';
export const LEDGER_RECORDS_PATH = '/v1/ledger/records';

export const MOST_RECORDS_A_PAGE = 500;
/** The records of an upload or a page, UTF-8 bytes together; a single larger one goes alone. */
export const MOST_RECORD_BYTES_A_PAGE = 2 * 1024 * 1024;

/** The name of the log, as its checkpoints and its key bear it. */
export const ledgerOrigin = (trustDomain: string): string => `${trustDomain}/issuance`;

const journalId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'must be 1 to 64 letters, digits or hyphens');
const spiffeId = z.string().max(2048).startsWith('spiffe://');

/** One record of a region's journal: the canonical text, its place in the journal, and the hash that chains it. */
export const journalEntry = z.strictObject({
  seq: z.number().int().positive(),
  hash: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  record: z.string().max(1_000_000),
});
export type UploadedEntry = z.infer<typeof journalEntry>;

export const journalUpload = z.strictObject({
  /** Names the journal: a region that begins a new one is told apart from one that lost records. */
  journal: journalId,
  entries: z.array(journalEntry).min(1).max(MOST_RECORDS_A_PAGE),
});
export type JournalUpload = z.infer<typeof journalUpload>;

export const journalQuery = z.strictObject({ journal: journalId });

/** Everything below `next` is in the master's log. */
export const journalReceipt = z.object({ journal: z.string(), next: z.number().int().positive() });
export type JournalReceipt = z.infer<typeof journalReceipt>;

/** `from`: the size of the newest checkpoint that the asker has seen; 0 for none. */
export const checkpointQuery = z.strictObject({ from: z.coerce.number().int().min(0).default(0) });
export const checkpointAnswer = z.object({
  /** A C2SP signed note. */
  checkpoint: z.string().max(65_536),
  /** The consistency proof from `from`, base64 hashes; empty for `from` 0 and for a log that is not larger. */
  consistency: z.array(z.string().length(44)).max(128),
});
export type CheckpointAnswer = z.infer<typeof checkpointAnswer>;

export const ledgerRecordsQuery = z.strictObject({
  /** The leaf to begin with. */
  from: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(MOST_RECORDS_A_PAGE).default(MOST_RECORDS_A_PAGE),
  /** Only records of this region, and of what is good in every one. */
  region: regionName.optional(),
  /** Only what this region or edge was given. */
  peer: spiffeId.optional(),
  accessKeyId: accessKeyId.optional(),
  /** Only keys of these UTC days, both included. */
  firstDate: scopeDate.optional(),
  lastDate: scopeDate.optional(),
});
/** As a client asks. */
export type LedgerRecordsQuery = Partial<z.output<typeof ledgerRecordsQuery>>;

const ledgerLeaf = z.object({
  leaf: z.number().int().nonnegative(),
  /** The hash that the log has of the leaf, base64; null where it has lost it. */
  hash: z.string().nullable(),
  /** The canonical text; null where the record is gone. */
  record: z.string().nullable(),
});
export type LedgerLeaf = z.infer<typeof ledgerLeaf>;

export const ledgerRecords = z.object({
  /** In the order of the log. */
  leaves: z.array(ledgerLeaf),
  /** Where to go on; absent at the end. */
  next: z.number().int().positive().optional(),
  size: z.number().int().nonnegative(),
});
export type LedgerRecords = z.infer<typeof ledgerRecords>;
