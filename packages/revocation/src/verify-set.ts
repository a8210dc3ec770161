import { FeedError, type FeedProblem } from './feed-problem.js';
import type { PinnedKeys } from './pinned-keys.js';
import { verifyFact, type SignedFact } from './signed-fact.js';
import { verifyStatement, type SignedStatement } from './statement.js';

/** A part of a document that was not believed. The others of that document are judged without it. */
export interface RefusedStatement {
  /** Its place in the document. */
  readonly index: number;
  readonly code: FeedProblem;
}

export interface VerifiedSet<Signed> {
  /** By their bytes; what came twice is here once. */
  readonly verified: ReadonlyMap<string, Signed>;
  readonly refused: readonly RefusedStatement[];
}

/** Verified at once: enough to keep the thread pool busy, few enough for its other users to get their turn. */
const ABREAST = 32;

/** Checks what a beacon names, one by one. `known` finds bytes that were verified before: once is enough. */
export function verifyFacts(
  forms: readonly string[],
  keys: PinnedKeys,
  known: (jws: string) => SignedFact | undefined = () => undefined,
): Promise<VerifiedSet<SignedFact>> {
  return verifyEach(forms, async (jws) => known(jws) ?? (await verifyFact(jws, keys)));
}

/** Checks statements one by one. */
export function verifyStatements(forms: readonly string[], keys: PinnedKeys): Promise<VerifiedSet<SignedStatement>> {
  return verifyEach(forms, (jws) => verifyStatement(jws, keys));
}

async function verifyEach<Signed extends { readonly jws: string }>(
  forms: readonly string[],
  verify: (jws: string) => Promise<Signed>,
): Promise<VerifiedSet<Signed>> {
  const verified = new Map<string, Signed>();
  const refused: RefusedStatement[] = [];
  for (let start = 0; start < forms.length; start += ABREAST) {
    const several = forms.slice(start, start + ABREAST);
    const outcomes = await Promise.all(several.map((jws) => attempt(verify(jws))));
    for (const [offset, outcome] of outcomes.entries()) {
      if (outcome instanceof FeedError) refused.push({ index: start + offset, code: outcome.code });
      else verified.set(outcome.jws, outcome);
    }
  }
  return { verified, refused };
}

async function attempt<Signed>(verification: Promise<Signed>): Promise<Signed | FeedError> {
  try {
    return await verification;
  } catch (error) {
    if (error instanceof FeedError) return error;
    throw error;
  }
}
