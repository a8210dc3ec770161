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
  const unknown: { readonly jws: string; readonly index: number }[] = [];
  for (const [index, jws] of forms.entries()) {
    const signed = known(jws);
    if (signed === undefined) unknown.push({ jws, index });
    else verified.set(jws, signed);
  }
  for (let next = 0; next < unknown.length; next += ABREAST) {
    await Promise.all(
      unknown.slice(next, next + ABREAST).map(async ({ jws, index }) => {
        try {
          verified.set(jws, await verifyStatement(jws, keys));
        } catch (error) {
          if (!(error instanceof FeedError)) throw error;
          refused.push({ index, code: error.code });
        }
      }),
    );
  }
  return { verified, refused: refused.toSorted((left, right) => left.index - right.index) };
}
