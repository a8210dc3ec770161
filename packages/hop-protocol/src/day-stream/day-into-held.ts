import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { HeldDays } from '../held-days.js';
import { DayPull, type DayPullOptions } from './day-pull.js';
import type { DaySource } from './day-source.js';
import type { StreamedSet } from './day-stream-api.js';

/**
 * Pulls a set of a day's keys into what is held: as with a single key, none of a revoked scope stays. Those that
 * operators pinned are held so that they do not make room for others.
 */
export function dayIntoHeld<Carried, Ready>(
  days: HeldDays<Carried, Ready>,
  source: DaySource,
  { date, which }: { readonly date: ScopeDate; readonly which: StreamedSet },
  {
    onHeld,
    ...begin
  }: Pick<DayPullOptions, 'onBegin'> & { readonly onHeld?: (accessKeyIds: readonly string[]) => void } = {},
): DayPull {
  return new DayPull({
    ...begin,
    source,
    date,
    which,
    mostKeys: days.mostKeysADay,
    take(keys) {
      const isPinned = which === 'pinned';
      for (const { facts, key } of keys) days.hold(date, facts, key, { isPinned });
    },
    onPage: onHeld && ((keys) => onHeld(keys.map(({ facts }) => facts.accessKeyId))),
  });
}
