import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  identityOf,
  isInWindow,
  KeydError,
  type Absence,
  type RegionIdentity,
  type RegionReport,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { StoredAccessKey } from './database/access-keys.js';

/** Keys are issued for the window of days by our own clock, whatever the asking region believes the time to be. */
export function requireInWindow(window: WindowRule, date: ScopeDate, now: number): void {
  if (!isInWindow(window, date, now)) throw new KeydError('date-outside-window', { detail: date });
}

/** Why a region is not given this access key's kRegion, or undefined when it is. */
export function refusalFor(region: RegionIdentity, key: StoredAccessKey, now: number): Absence | undefined {
  // That an access key was deleted is nothing a region needs to know apart from one that never was.
  if (key.status === 'deleted') return 'unknown';
  if (key.status === 'disabled') return 'disabled';
  if (key.expiresAt !== undefined && key.expiresAt <= now) return 'expired';
  if (key.regions !== undefined && !key.regions.includes(region.region)) return 'not-for-scope';
  // Of a session whose access key is good for none of its services any more.
  if (key.services?.length === 0) return 'not-for-scope';
  return undefined;
}

/** An access key that would be born expired is a mistake in a date. */
export function requireFuture(expiresAt: number | undefined, now: number): void {
  if (expiresAt === undefined || expiresAt > now) return;
  throw new KeydError('malformed-request', { detail: 'expiresAt must be in the future' });
}

/** A region speaks of the edges below it, and of no others. */
export function requireOwnEdges(region: RegionIdentity, edges: RegionReport['edges']): void {
  for (const { spiffeId } of edges) {
    const id = parseSpiffeId(spiffeId);
    const edge = id && identityOf(id);
    if (edge?.role === 'edge' && edge.region === region.region && edge.trustDomain === region.trustDomain) continue;
    throw new KeydError('malformed-request', { detail: `edges: ${spiffeId} is no edge of ${region.region}` });
  }
}
