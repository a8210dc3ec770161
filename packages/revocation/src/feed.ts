import { z } from 'zod';
import { MOST_BEACON_BYTES, MOST_DOCUMENT_BYTES, MOST_PAGE_BYTES } from './document-kinds.js';
import { FeedError } from './feed-problem.js';
import { schemaDetail } from './schema-detail.js';

/** The most statements and pages together that a set may hold. */
export const MOST_STATEMENTS = 50_000;

/** The most pages of changes of access keys among them: half a million access keys. */
export const MOST_PAGES = 1_000;

/** The largest feed document as JSON, bytes: for readers to stop at before they parse anything. */
export const MOST_FEED_BYTES =
  MOST_BEACON_BYTES + MOST_STATEMENTS * (MOST_DOCUMENT_BYTES + 3) + MOST_PAGES * (MOST_PAGE_BYTES + 3) + 64;

export const feedDocument = z
  .strictObject({
    /** Compact JWS. */
    beacon: z.string(),
    /** Compact JWS each, pages too. Absent: the set that the receiver's newest beacon names is still the one. */
    statements: z.array(z.string()).readonly().exactOptional(),
  })
  .readonly();
/** What travels, as bytes that nobody on the way can change: a beacon and the complete set that it names. */
export type FeedDocument = z.infer<typeof feedDocument>;

const counted = z.object({ statements: z.array(z.unknown()) });

/** Reads a feed document from parsed JSON. Throws FeedError `malformed` or `too-many-statements`. */
export function parseFeedDocument(json: unknown): FeedDocument {
  const count = counted.safeParse(json);
  if (count.success && count.data.statements.length > MOST_STATEMENTS) {
    throw new FeedError('too-many-statements', `${count.data.statements.length} of at most ${MOST_STATEMENTS}`);
  }
  // The size of each statement is checked one by one later: one that is too large must not hide the others.
  const document = feedDocument.safeParse(json);
  if (!document.success) throw new FeedError('malformed', schemaDetail(document.error));
  return document.data;
}
