import { z } from 'zod';
import type { FeedKey } from './feed-key.js';
import { FeedError } from './feed-problem.js';
import type { PinnedKeys } from './pinned-keys.js';
import { schemaDetail } from './schema-detail.js';
import { digestOfContent, documentDigest, openDocument, signDocument, type DocumentDigest } from './signed-document.js';
import * as part from './statement-parts.js';

export const revocationStatement = z
  .strictObject({
    kind: z.literal('revocation'),
    /** The handle that people use. What a lift names is the digest, which no second statement can share. */
    id: z.uuid(),
    /** Absent: every access key. Likewise region and service. */
    accessKeyId: part.accessKeyId.exactOptional(),
    region: part.regionName.exactOptional(),
    service: part.serviceName.exactOptional(),
    /** The first and the last day, both included. The last is always said: how long a statement is kept hangs on it. */
    from: part.scopeDate,
    to: part.scopeDate,
    /** Epoch milliseconds. Access keys created at this instant or later are not hit. */
    issuedBefore: part.epochMs.exactOptional(),
    incident: part.incident,
    reason: part.reason,
    author: part.author,
    at: part.instant,
  })
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'must not be before the first day' })
  .readonly();
/** A deny-only fact: signatures of these credential scopes are refused, whenever they come. */
export type RevocationStatement = z.infer<typeof revocationStatement>;

export const liftStatement = z
  .strictObject({
    kind: z.literal('lift'),
    id: z.uuid(),
    /** The digest of the revocation statement, so that it names that one statement and never another of the same id. */
    lifts: documentDigest,
    /** The last day of what it lifts, so that how long a lift is kept depends on nothing but itself. */
    to: part.scopeDate,
    incident: part.incident,
    reason: part.reason,
    author: part.author,
    at: part.instant,
  })
  .readonly();
/** Takes one revocation statement back. Signed by a root key, which is kept offline. */
export type LiftStatement = z.infer<typeof liftStatement>;

export type Statement = RevocationStatement | LiftStatement;

const schemas = { revocation: revocationStatement, lift: liftStatement } as const;

/** A statement whose signature was checked, in the very bytes that it came in. */
export interface SignedStatement<S extends Statement = Statement> {
  readonly statement: S;
  /** The identity: equal for the same statement signed again under another key. */
  readonly digest: DocumentDigest;
  /** Compact JWS. */
  readonly jws: string;
}

/** Returns the compact JWS. Throws FeedError `malformed` or `wrong-purpose`: a lift takes a root key. */
export async function signStatement(statement: Statement, key: FeedKey): Promise<string> {
  return signDocument(statement.kind, parseStatement(statement.kind, statement), key);
}

/** What a lift of the statement names. Throws FeedError `malformed`. */
export function statementDigest(statement: Statement): DocumentDigest {
  return digestOfContent(parseStatement(statement.kind, statement));
}

/** Throws FeedError with the code of the first check that failed. */
export async function verifyStatement(jws: string, keys: PinnedKeys): Promise<SignedStatement> {
  const { kind, digest, content } = await openDocument(jws, ['revocation', 'lift'], keys);
  return { statement: parseStatement(kind, content), digest, jws };
}

export function isRevocation(signed: SignedStatement): signed is SignedStatement<RevocationStatement> {
  return signed.statement.kind === 'revocation';
}

export function isLift(signed: SignedStatement): signed is SignedStatement<LiftStatement> {
  return signed.statement.kind === 'lift';
}

/** Reads the content of a document whose signature was checked. Throws FeedError `malformed`. */
export function parseStatement(kind: Statement['kind'], content: unknown): Statement {
  const parsed = schemas[kind].safeParse(content);
  if (!parsed.success) throw new FeedError('malformed', schemaDetail(parsed.error));
  return parsed.data;
}
