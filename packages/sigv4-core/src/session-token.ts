import type { Mechanism } from './canonical-query.js';
import type { HeaderTable } from './header-table.js';
import type { VerificationPolicy } from './policy.js';
import type { QueryParameters } from './query-parameters.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** Whom a session stands for, as its token proved. */
export interface SessionIdentity {
  /** The access key that the temporary one was made of. */
  readonly parentAccessKeyId: string;
  readonly name?: string;
}

/** What a request brings of a session, and what was proven of it. */
export interface PresentedToken {
  /** As signed; whoever finds the key judges whether it belongs to the access key. */
  readonly sessionToken?: string;
  /** What that judgement proved; added by {@link ofSession}. */
  readonly session?: SessionIdentity;
}

/** The same request, of the session that its token proved. */
export function ofSession<Examined extends PresentedToken>(
  examined: Examined,
  session: SessionIdentity | undefined,
): Examined {
  return session === undefined ? examined : { ...examined, session };
}

/** Whether the id has the form of temporary credentials, which are good with their session token only. */
export function isSessionAccessKeyId(accessKeyId: string): boolean {
  return accessKeyId.startsWith('ASIA');
}

/**
 * The session token that a request brings, as it was signed: the header like every x-amz-* header, the parameter like
 * every parameter. One that was added after signing is in no canonical request. What it says is not read here.
 */
export function readSessionToken(
  { headers, query }: { readonly headers: HeaderTable; readonly query: QueryParameters },
  { mechanism, accessKeyId }: { readonly mechanism: Mechanism; readonly accessKeyId: string },
  policy: VerificationPolicy,
): PresentedToken | Refused {
  const header = headers.get('x-amz-security-token');
  // In header authentication no such parameter gets here, and where both are there, they are the same.
  const sessionToken = mechanism === 'header' ? header : (query.amz.get('x-amz-security-token') ?? header);
  return admitSessionToken(accessKeyId, sessionToken, policy);
}

/** Whether temporary credentials are accepted at all; `sessionToken`: as it was signed. */
export function admitSessionToken(
  accessKeyId: string,
  sessionToken: string | undefined,
  policy: VerificationPolicy,
): PresentedToken | Refused {
  if (policy.sessionTokens === 'signed') return sessionToken === undefined ? {} : { sessionToken };
  // Without its token, a temporary access key must not pass for a long-lived one.
  const isTemporary = sessionToken !== undefined || isSessionAccessKeyId(accessKeyId);
  return isTemporary ? refuse('session-token-refused') : {};
}
