import { addDays, type ScopeDate } from '@sigv4-keyd/sigv4-core';

/** A scope date as people write it: `2026-11-01`. */
export function isoDay(date: ScopeDate): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
}

/** Days in order, those in a row as one: `2026-11-01 to 2026-11-05, 2026-11-09`. */
export function runsOfDays(days: readonly ScopeDate[]): string {
  const runs: { readonly first: ScopeDate; last: ScopeDate }[] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run && addDays(run.last, 1) === day) run.last = day;
    else runs.push({ first: day, last: day });
  }
  return runs
    .map(({ first, last }) => (first === last ? isoDay(first) : `${isoDay(first)} to ${isoDay(last)}`))
    .join(', ');
}
