import {
  ChangedAccessKeys,
  FeedError,
  isPage,
  mayBeForgotten,
  verifyFact,
  type FeedProblem,
  type PinnedKeys,
  type RetentionRule,
  type SignedPage,
} from '@sigv4-keyd/revocation';
import type { Transaction } from '../database/transaction.js';

interface KnownPage {
  readonly edition: number;
  /** What no pinned key signed is not published. */
  readonly page: SignedPage | FeedProblem;
}

/** All pages that are stored, by their numbers. Never changed; what is learned makes a new one. */
export interface KnownPages {
  readonly byNumber: ReadonlyMap<number, KnownPage>;
  /** Those that are published, the oldest first. */
  readonly pages: readonly SignedPage[];
  readonly changes: ChangedAccessKeys;
  readonly refused: readonly { readonly number: number; readonly code: FeedProblem }[];
}

export const NO_PAGES = knownPages(new Map());

/** Reads the pages that were written since. The feed must be locked or held. */
export async function learnPages(transaction: Transaction, known: KnownPages, keys: PinnedKeys): Promise<KnownPages> {
  const { rows } = await transaction.query<{ readonly number: number; readonly edition: number }>(
    'SELECT number, edition::double precision AS edition FROM access_key_page',
  );
  const isKnown = ({ number, edition }: (typeof rows)[number]): boolean =>
    known.byNumber.get(number)?.edition === edition;
  const missing = rows.filter((row) => !isKnown(row)).map(({ number }) => number);
  if (missing.length === 0 && rows.length === known.byNumber.size) return known;
  const read = await transaction.query<{ readonly number: number; readonly jws: string }>(
    'SELECT number, jws FROM access_key_page WHERE number = ANY($1)',
    [missing],
  );
  const forms = new Map(read.rows.map(({ number, jws }) => [number, jws]));
  const byNumber = new Map<number, KnownPage>();
  for (const { number, edition } of rows) {
    const jws = forms.get(number);
    const before = known.byNumber.get(number);
    if (jws !== undefined) byNumber.set(number, { edition, page: await verified(jws, keys) });
    else if (before) byNumber.set(number, before);
  }
  return knownPages(byNumber);
}

/** Drops pages that no signature can need at `at` (epoch milliseconds), and those that newer ones say all of. */
export async function dropPages(
  transaction: Transaction,
  known: KnownPages,
  retention: RetentionRule,
  at: number,
): Promise<KnownPages> {
  const kept = new Map([...known.byNumber].filter(([, { page }]) => isNeeded(page, known.changes, retention, at)));
  if (kept.size === known.byNumber.size) return known;
  const dropped = [...known.byNumber.keys()].filter((number) => !kept.has(number));
  await transaction.query('DELETE FROM access_key_page WHERE number = ANY($1)', [dropped]);
  return knownPages(kept);
}

/** Stores a page, in the place of the one of this number if there is one. The feed must be locked. */
export async function storePage(
  transaction: Transaction,
  { number, edition, signed }: { readonly number: number; readonly edition: number; readonly signed: SignedPage },
): Promise<void> {
  await transaction.query(
    `INSERT INTO access_key_page (number, edition, last_date, jws) VALUES ($1, $2, $3, $4)
     ON CONFLICT (number) DO UPDATE SET edition = $2, last_date = $3, jws = $4`,
    [number, edition, signed.page.to, signed.jws],
  );
}

function isNeeded(page: KnownPage['page'], changes: ChangedAccessKeys, retention: RetentionRule, at: number): boolean {
  // What was refused stays, to be looked into.
  if (typeof page === 'string') return true;
  return changes.needs(page.digest) && !mayBeForgotten(page.page, retention, at);
}

function knownPages(byNumber: ReadonlyMap<number, KnownPage>): KnownPages {
  const oldestFirst = [...byNumber].toSorted(([left], [right]) => left - right);
  const pages = oldestFirst.flatMap(([, { page }]) => (typeof page === 'string' ? [] : [page]));
  const refused = oldestFirst.flatMap(([number, { page }]) =>
    typeof page === 'string' ? [{ number, code: page }] : [],
  );
  return { byNumber, pages, changes: ChangedAccessKeys.of(pages), refused };
}

async function verified(jws: string, keys: PinnedKeys): Promise<SignedPage | FeedProblem> {
  try {
    const fact = await verifyFact(jws, keys);
    return isPage(fact) ? fact : 'malformed';
  } catch (error) {
    if (error instanceof FeedError) return error.code;
    throw error;
  }
}
