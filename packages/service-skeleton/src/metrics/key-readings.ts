import type { Clock, HeldDay } from '@sigv4-keyd/hop-protocol';
import { addDays, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { KeyUpkeep } from '../key-upkeep.js';
import type { Readings, Sample } from './definitions.js';

type KeyName =
  | 'keyd_autonomy_seconds'
  | 'keyd_midnight_ready'
  | 'keyd_midnight_due'
  | 'keyd_prefetch_lag_seconds'
  | 'keyd_prefetch_lag_access_keys'
  | 'keyd_days_held'
  | 'keyd_keys_held'
  | 'keyd_key_capacity_per_day'
  | 'keyd_key_memory_bytes'
  | 'keyd_key_misses_total';

export interface TierKeys {
  /** Of the keys of the ladder. */
  readonly upkeep: Pick<KeyUpkeep<unknown>, 'gauges' | 'heldDays' | 'isMidnightReady' | 'isMidnightDue'>;
  /** Absent: a tier that has none. */
  readonly publicKeys?: { heldDays(): readonly HeldDay[] };
}

/** What a tier below the master holds. */
export function keyReadings(
  { upkeep, publicKeys }: TierKeys,
  clock: Pick<Clock, 'now'>,
): Pick<Readings<'edge-verifier'>, KeyName> {
  const gauges = upkeep.gauges();
  const now = clock.now();
  return {
    keyd_autonomy_seconds: gauges.autonomySeconds,
    keyd_midnight_ready: upkeep.isMidnightReady ? 1 : 0,
    keyd_midnight_due: upkeep.isMidnightDue ? 1 : 0,
    keyd_prefetch_lag_seconds: gauges.prefetchLag.seconds,
    keyd_prefetch_lag_access_keys: gauges.prefetchLag.accessKeys,
    keyd_days_held: gauges.daysHeld,
    keyd_keys_held: [
      ...heldBy('ladder', upkeep.heldDays(), now),
      ...heldBy('public', publicKeys?.heldDays() ?? [], now),
    ],
    keyd_key_capacity_per_day: gauges.mostKeysADay,
    keyd_key_memory_bytes: gauges.memoryBytes,
    keyd_key_misses_total: Object.entries(gauges.misses).map(([outcome, value]) => ({ labels: { outcome }, value })),
  };
}

/** Dates would be labels without end: what matters of a day is how it stands to today. */
function heldBy(kind: 'ladder' | 'public', days: readonly HeldDay[], now: number): Sample<'kind' | 'day'>[] {
  const today = scopeDateOf(now);
  const tomorrow = addDays(today, 1);
  const total = (isMeant: (date: string) => boolean): number =>
    days.reduce((sum, { date, keys }) => sum + (isMeant(date) ? keys : 0), 0);
  return [
    { labels: { kind, day: 'past' }, value: total((date) => date < today) },
    { labels: { kind, day: 'today' }, value: total((date) => date === today) },
    { labels: { kind, day: 'tomorrow' }, value: total((date) => date === tomorrow) },
  ];
}
