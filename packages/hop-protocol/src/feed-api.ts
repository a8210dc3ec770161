import { feedDocument, MOST_PAGE_BYTES, MOST_STATEMENTS } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { accessKeyId } from './schemas.js';

/**
 * The revocation feed, served by master-keyd to regions and by region-keyd to edges: the same bytes at every hop.
 * GET answers 200 with the document as soon as it is newer than `version`, or 204 after `wait` seconds.
 */
export const FEED_PATH = '/v1/feed';

/** The longest that a long poll waits, seconds. */
export const LONGEST_FEED_WAIT_SECONDS = 25;

/**
 * POST: says that a database which is behind what regions have seen was restored on purpose. The feed's counter moves
 * past what they saw, and statements and changes of access keys that the backup lacks are put back.
 */
export const RESUME_AFTER_RESTORE_PATH = '/v1/feed/resume-after-restore';

export const resumeAfterRestore = z.strictObject({
  /** Signed statements and pages to put back, compact JWS each: from the feed that a region or an edge still holds. */
  statements: z.array(z.string().max(MOST_PAGE_BYTES)).max(MOST_STATEMENTS).default([]),
});
export const resumedAfterRestore = z.object({
  /** The version of the first beacon since. */
  version: z.number().int().positive(),
  /** How many of the statements were not in the database. */
  putBack: z.number().int().nonnegative(),
  /** How many access keys are other than the backup had them. */
  accessKeys: z.number().int().nonnegative(),
  /** Those whose newest secret is lost: disabled until they get another (keydctl access-key rotate). */
  lostSecrets: z.array(accessKeyId),
});
export type ResumedAfterRestore = z.infer<typeof resumedAfterRestore>;

export const feedQuery = z.strictObject({
  /** The version of the newest beacon that the asker has accepted; 0 for none. */
  version: z.coerce.number().int().min(0).default(0),
  /** The set that this beacon named: where it is still the one, the answer leaves the statements out. */
  set: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')
    .optional(),
  /** How long to wait for news, seconds. 0 asks for the present state at once, new or not. */
  wait: z.coerce.number().int().min(0).max(LONGEST_FEED_WAIT_SECONDS).default(0),
});
export type FeedQuery = z.infer<typeof feedQuery>;

export const feedAnswer = feedDocument;
