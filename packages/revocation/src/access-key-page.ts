import { z } from 'zod';
import { readChange, writeChange, type AccessKeyChange } from './access-key-change.js';
import type { FeedKey } from './feed-key.js';
import { FeedError } from './feed-problem.js';
import { schemaDetail } from './schema-detail.js';
import { signDocument, type DocumentDigest } from './signed-document.js';
import * as part from './statement-parts.js';

/** The most changes that a page holds. */
export const MOST_CHANGES_A_PAGE = 500;

/** The most characters of the changes of a page, so that none outgrows MOST_PAGE_BYTES. */
const MOST_CHARACTERS_A_PAGE = 64 * 1024;

const content = z.strictObject({
  kind: z.literal('access-keys'),
  /** The last day that keys issued before these changes can be for: how long the page is kept hangs on it. */
  to: part.scopeDate,
  /** As `writeChange` writes them, in the order of the access key ids, each once. */
  changes: z.array(z.string()).min(1).max(MOST_CHANGES_A_PAGE),
  at: part.instant,
});

/** Changes of access keys. A page only ever denies more, or says what the master itself issues keys by. */
export interface AccessKeyPage {
  readonly to: z.infer<typeof part.scopeDate>;
  /** In the order of the access key ids, each once. */
  readonly changes: readonly AccessKeyChange[];
  /** When it was signed, ISO 8601. */
  readonly at: string;
}

/** A page whose signature was checked. */
export interface SignedPage {
  readonly page: AccessKeyPage;
  readonly digest: DocumentDigest;
  /** Compact JWS. */
  readonly jws: string;
}

/** Returns the compact JWS. Throws FeedError `malformed` or `wrong-purpose`. */
export async function signAccessKeyPage({ to, changes, at }: AccessKeyPage, key: FeedKey): Promise<string> {
  const written = { kind: 'access-keys' as const, to, changes: changes.map(writeChange), at };
  readPage(written);
  return signDocument('access-keys', written, key);
}

/** Reads the content of a document whose signature was checked. Throws FeedError `malformed`. */
export function readPage(json: unknown): AccessKeyPage {
  const parsed = content.safeParse(json);
  if (!parsed.success) throw new FeedError('malformed', schemaDetail(parsed.error));
  const { to, at } = parsed.data;
  const changes = parsed.data.changes.map(readChange);
  const read = changes.filter((change) => change !== undefined);
  if (read.length < changes.length) throw new FeedError('malformed', `changes.${changes.indexOf(undefined)}`);
  if (!read.every(({ accessKeyId }, index) => index === 0 || (read[index - 1]?.accessKeyId ?? '') < accessKeyId)) {
    throw new FeedError('malformed', 'changes: must be sorted, each access key once');
  }
  return { to, changes: read, at };
}

/** Puts changes into as few pages as they fit, the first of which may have room for more. Each access key once. */
export function intoPages(changes: readonly AccessKeyChange[]): readonly (readonly AccessKeyChange[])[] {
  const pages: AccessKeyChange[][] = [];
  let characters = Infinity;
  for (const change of changes) {
    const length = writeChange(change).length;
    const open = pages.at(-1);
    if (open && open.length < MOST_CHANGES_A_PAGE && characters + length <= MOST_CHARACTERS_A_PAGE) {
      open.push(change);
      characters += length;
    } else {
      pages.push([change]);
      characters = length;
    }
  }
  return pages.map((page) => page.toSorted((left, right) => (left.accessKeyId < right.accessKeyId ? -1 : 1)));
}
