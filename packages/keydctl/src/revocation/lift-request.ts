import { randomUUID } from 'node:crypto';
import {
  FeedError,
  importFeedKey,
  liftStatement,
  revocationStatement,
  signStatement,
  statementDigest,
  type LiftStatement,
  type RevocationStatement,
} from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { CommandError } from '../command-line/command-error.js';

/** A lift that nobody has signed yet, and the revocation that it takes back, so that its signer sees what that is. */
const liftRequest = z.strictObject({ lift: liftStatement, revocation: revocationStatement });
export type LiftRequest = z.output<typeof liftRequest>;

export interface WantedLift {
  readonly revocation: RevocationStatement;
  /** SPIFFE id of the operator. */
  readonly author: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

export function requestLift({ revocation, author, reason, now }: WantedLift): LiftRequest {
  const lift: LiftStatement = {
    kind: 'lift',
    id: randomUUID(),
    lifts: statementDigest(revocation),
    to: revocation.to,
    incident: revocation.incident,
    reason,
    author,
    at: new Date(now).toISOString(),
  };
  return { lift, revocation };
}

/**
 * Reads a request that came from elsewhere. That the lift is of the revocation shown beside it is proven by its digest:
 * whoever changed one of the two cannot have another revocation lifted.
 * @throws CommandError
 */
export function readLiftRequest(text: string): LiftRequest {
  const parsed = liftRequest.safeParse(jsonOf(text));
  if (!parsed.success) {
    const parts = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
    throw broken(`the file is no request of a lift (${parts})`);
  }
  const { lift, revocation } = parsed.data;
  if (lift.lifts !== statementDigest(revocation)) throw broken('the lift is not of the revocation beside it');
  if (lift.to !== revocation.to) throw broken('the lift does not end with the revocation');
  return parsed.data;
}

/**
 * Signs with the root key. Returns the compact JWS.
 * @throws FeedError, CommandError
 */
export async function signLift({ lift }: LiftRequest, rootKeyText: string): Promise<string> {
  const key = await importFeedKey(jsonOf(rootKeyText));
  if (key.purpose === 'root') return signStatement(lift, key);
  throw new CommandError(
    'failed',
    'wrong-purpose',
    `this is a ${key.purpose} key; a lift takes the root key`,
    'Give root.jwk, which keydctl feed-keys create made',
    { cause: new FeedError('wrong-purpose') },
  );
}

function broken(message: string): CommandError {
  return new CommandError('failed', 'malformed-lift-request', message, 'Make it anew: keydctl revocation lift request');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text, which may be a private key.
    return undefined;
  }
}
