import { readPage, type SignedPage } from './access-key-page.js';
import type { PinnedKeys } from './pinned-keys.js';
import { openDocument } from './signed-document.js';
import { parseStatement, type SignedStatement } from './statement.js';

/** What a beacon names: a statement, or a page of changes of access keys. Its signature was checked. */
export type SignedFact = SignedStatement | SignedPage;

/** Throws FeedError with the code of the first check that failed. */
export async function verifyFact(jws: string, keys: PinnedKeys): Promise<SignedFact> {
  const { kind, digest, content } = await openDocument(jws, ['revocation', 'lift', 'access-keys'], keys);
  return kind === 'access-keys'
    ? { page: readPage(content), digest, jws }
    : { statement: parseStatement(kind, content), digest, jws };
}

export function isPage(fact: SignedFact): fact is SignedPage {
  return 'page' in fact;
}

export function isStatement(fact: SignedFact): fact is SignedStatement {
  return 'statement' in fact;
}

/** The last day that a fact is needed for. */
export function lastDayOf(fact: SignedFact): { readonly to: SignedPage['page']['to'] } {
  return isPage(fact) ? fact.page : fact.statement;
}
