import { isInWindow, KeydError, MOST_GRANT_DAYS_AHEAD, type WindowRule } from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';

interface DateSettings {
  readonly longestPresigned: number;
  readonly clockSkew: number;
}

/** The days whose keys regions are given: those that every tier holds. */
export function servedDaysOf(settings: DateSettings): WindowRule {
  return { longestPresignedSeconds: settings.longestPresigned, clockSkewSeconds: settings.clockSkew };
}

/** The days that can be held as far as they are granted: the master may be gone when a later one begins. */
export function heldDaysOf(settings: DateSettings): WindowRule {
  return { ...servedDaysOf(settings), daysAhead: MOST_GRANT_DAYS_AHEAD };
}

export interface ServingRule {
  readonly window: WindowRule;
  readonly isGranted: (date: ScopeDate) => boolean;
  /** Whether the newest beacon bans this deputy. */
  readonly isBanned: () => boolean;
  readonly now: () => number;
}

/** Throws KeydError for a day that no region is to be given by us. */
export function requireServed(date: ScopeDate, { window, isGranted, isBanned, now }: ServingRule): void {
  if (isBanned()) throw new KeydError('no-grant', { detail: 'this deputy is banned' });
  if (!isInWindow(window, date, now())) throw new KeydError('date-outside-window', { detail: date });
  if (!isGranted(date)) throw new KeydError('no-grant', { detail: date });
}
