import { feedDocument } from '@sigv4-keyd/revocation';
import { z } from 'zod';

/**
 * The revocation feed, served by master-keyd to regions and by region-keyd to edges: the same bytes at every hop.
 * GET answers 200 with the document as soon as it is newer than `version`, or 204 after `wait` seconds.
 */
export const FEED_PATH = '/v1/feed';

/** The longest that a long poll waits, seconds. */
export const LONGEST_FEED_WAIT_SECONDS = 25;

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
