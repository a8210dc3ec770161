import { DAY_MS, scopeDateOf, startOfScopeDate } from './scope-date.js';
import type { ScopeDate } from './scope-date.js';

/** The rule by which whoever holds the keys of days refuses dates outside its window, in both directions. */
export interface WindowRule {
  /** The longest life of a presigned URL, seconds: at most 7 days. Past days are kept as long as one may still live. */
  readonly longestPresignedSeconds: number;
  /** The largest accepted difference between two clocks, seconds. */
  readonly clockSkewSeconds: number;
  /** Whole days after today that are in the window all day long. Absent: tomorrow comes at noon, and no other. */
  readonly daysAhead?: number;
}

/** Milliseconds into the UTC day from which tomorrow's keys are issued: midnight finds them everywhere already. */
export const TOMORROW_FROM_MS = 12 * 3_600_000;

/** The days whose keys may be held at `now` (epoch milliseconds), oldest first. */
export function windowOfDays(rule: WindowRule, now: number): readonly ScopeDate[] {
  const newest = startOfNewestDay(rule, now);
  const days: ScopeDate[] = [];
  for (let start = startOfOldestDay(rule, now); start <= newest; start += DAY_MS) days.push(scopeDateOf(start));
  return days;
}

/** Whether `date` is in the window at `now`. */
export function isInWindow(rule: WindowRule, date: ScopeDate, now: number): boolean {
  const start = startOfScopeDate(date);
  return start >= startOfOldestDay(rule, now) && start <= startOfNewestDay(rule, now);
}

/** The most days that are in the window at any one time: at midnight or from noon on there are most. */
export function mostDaysInWindow(rule: WindowRule): number {
  const pastMs = (rule.longestPresignedSeconds + rule.clockSkewSeconds) * 1000;
  const daysAhead = rule.daysAhead ?? 0;
  const atMidnight = Math.ceil(pastMs / DAY_MS) + 1 + daysAhead;
  const fromNoon = Math.max(0, Math.ceil((pastMs - TOMORROW_FROM_MS) / DAY_MS)) + 1 + Math.max(1, daysAhead);
  return Math.max(atMidnight, fromNoon);
}

// Every key that comes asks whether its day is in the window: these take no detour over texts.

function startOfOldestDay(rule: WindowRule, now: number): number {
  return startOfDay(now - (rule.longestPresignedSeconds + rule.clockSkewSeconds) * 1000);
}

function startOfNewestDay({ daysAhead = 0 }: WindowRule, now: number): number {
  const today = startOfDay(now);
  const byTheHour = now - today >= TOMORROW_FROM_MS ? 1 : 0;
  return today + Math.max(daysAhead, byTheHour) * DAY_MS;
}

function startOfDay(now: number): number {
  return Math.floor(now / DAY_MS) * DAY_MS;
}
