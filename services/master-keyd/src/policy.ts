import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  identityOf,
  isInWindow,
  KeydError,
  spiffeIdOf,
  type Absence,
  type RegionReport,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { KeyTaker } from './audit.js';
import type { IssuableAccessKey } from './database/access-keys.js';

/** Keys are issued for the window of days by our own clock, whatever the asking region believes the time to be. */
export function requireInWindow(window: WindowRule, date: ScopeDate, now: number): void {
  if (!isInWindow(window, date, now)) throw new KeydError('date-outside-window', { detail: date });
}

/**
 * Why nothing of this access key is given out for a region, or undefined when it is. Without a region: for all of them,
 * which an access key that is limited to some is not good for.
 */
export function refusalFor(region: string | undefined, key: IssuableAccessKey, now: number): Absence | undefined {
  // That an access key was deleted is nothing a region needs to know apart from one that never was.
  if (key.status === 'deleted') return 'unknown';
  if (key.status === 'disabled') return 'disabled';
  if (key.expiresAt !== undefined && key.expiresAt <= now) return 'expired';
  if (key.regions !== undefined && (region === undefined || !key.regions.includes(region))) return 'not-for-scope';
  // Of a session whose access key is good for none of its services any more.
  if (key.services?.length === 0) return 'not-for-scope';
  return undefined;
}

/** An access key that would be born expired is a mistake in a date. */
export function requireFuture(expiresAt: number | undefined, now: number): void {
  if (expiresAt === undefined || expiresAt > now) return;
  throw new KeydError('malformed-request', { detail: 'expiresAt must be in the future' });
}

/** A region speaks of the edges below it, and of no others; a deputy has none. */
export function requireOwnEdges(peer: KeyTaker, edges: RegionReport['edges']): void {
  for (const { spiffeId } of edges) {
    const id = parseSpiffeId(spiffeId);
    const edge = id && identityOf(id);
    const isOurs = edge?.role === 'edge' && edge.trustDomain === peer.trustDomain;
    if (isOurs && peer.role === 'region' && edge.region === peer.region) continue;
    throw new KeydError('malformed-request', { detail: `edges: ${spiffeId} is no edge of ${spiffeIdOf(peer)}` });
  }
}
