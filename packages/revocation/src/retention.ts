import { DAY_MS, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Statement } from './statement.js';

/** What decides how long a signature of a day can still be accepted. */
export interface RetentionRule {
  /** The longest life of a presigned URL, seconds: at most 7 days. */
  readonly longestPresignedSeconds: number;
  /** The largest accepted difference between two clocks, seconds. */
  readonly clockSkewSeconds: number;
}

/**
 * The instant (epoch milliseconds) from which no signature of the statement's last day is accepted by any verifier: the
 * day's end, the longest presigned life, the clock skew. A lift carries the last day of what it lifts, and so is kept
 * as long. Were it shorter by mistake, its revocation would be in force again: denying, never allowing.
 */
export function keptUntil(statement: Pick<Statement, 'to'>, rule: RetentionRule): number {
  const endOfLastDay = startOfScopeDate(statement.to) + DAY_MS;
  return endOfLastDay + (rule.longestPresignedSeconds + rule.clockSkewSeconds) * 1000;
}

/**
 * Whether a statement may be forgotten once a beacon dated `signedTime` (epoch milliseconds) was accepted.
 *
 * The time is the beacon's, never a verifier's own: its clock may be wrong for a while, and what was dropped then would
 * be missing when it is right again. The skew counts a second time because a verifier's clock may be behind the beacon
 * by that much: whoever holds this beacon and still believes it reads at least `signedTime` less the skew, which is at
 * least keptUntil. So forgetting never un-revokes.
 */
export function mayBeForgotten(statement: Pick<Statement, 'to'>, rule: RetentionRule, signedTime: number): boolean {
  return signedTime - rule.clockSkewSeconds * 1000 >= keptUntil(statement, rule);
}
