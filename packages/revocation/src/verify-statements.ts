import { FeedError, type FeedProblem } from './feed-problem.js';
import type { PinnedKeys } from './pinned-keys.js';
import { verifyStatement, type SignedStatement } from './statement.js';

/** A statement of a document that was not believed. The others of that document are judged without it. */
export interface RefusedStatement {
  /** Its place in the document. */
  readonly index: number;
  readonly code: FeedProblem;
}

export interface VerifiedStatements {
  /** By their bytes; what came twice is here once. */
  readonly verified: ReadonlyMap<string, SignedStatement>;
  readonly refused: readonly RefusedStatement[];
}

/** Verified at once: enough to keep the thread pool busy, few enough for its other users to get their turn. */
const ABREAST = 32;

/** Checks statements one by one. `known` finds bytes that were verified before: they need not be checked again. */
export async function verifyStatements(
  forms: readonly string[],
  keys: PinnedKeys,
  known: (jws: string) => SignedStatement | undefined = () => undefined,
): Promise<VerifiedStatements> {
  const verified = new Map<string, SignedStatement>();
  const refused: RefusedStatement[] = [];
  for (let start = 0; start < forms.length; start += ABREAST) {
    const several = forms.slice(start, start + ABREAST);
    const outcomes = await Promise.all(several.map(async (jws) => known(jws) ?? (await attempt(jws, keys))));
    for (const [offset, outcome] of outcomes.entries()) {
      if (outcome instanceof FeedError) refused.push({ index: start + offset, code: outcome.code });
      else verified.set(outcome.jws, outcome);
    }
  }
  return { verified, refused };
}

async function attempt(jws: string, keys: PinnedKeys): Promise<SignedStatement | FeedError> {
  try {
    return await verifyStatement(jws, keys);
  } catch (error) {
    if (error instanceof FeedError) return error;
    throw error;
  }
}
