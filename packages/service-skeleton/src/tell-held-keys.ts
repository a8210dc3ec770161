import type { HeldDays } from '@sigv4-keyd/hop-protocol';
import type { Logger } from './logging.js';

/** Tells the log when fetching tomorrow's keys begins to fail, and when it works again. */
export function tellPrefetch(log: Logger, failure: unknown): void {
  if (failure === undefined) log.info({ event: 'prefetch-resumed' }, "tomorrow's keys are being fetched again");
  else
    log.warn({ event: 'prefetch-failing', err: failure }, "tomorrow's keys cannot be fetched yet; trying every minute");
}

/** Tells the log once a day when not all keys that are asked for fit into the memory that is set. */
export function tellFull<Carried, Ready>(log: Logger, days: HeldDays<Carried, Ready>): void {
  days.subscribe({
    onFull: (date) => log.warn({ event: 'key-memory-full', date }, fullSentence(date, days.mostKeysADay)),
  });
}

/** For the readiness probe: the days whose keys do not fit, in words. */
export function fullWarnings<Carried, Ready>(days: HeldDays<Carried, Ready>): readonly string[] {
  return days.status().flatMap(({ date, evicted }) => (evicted > 0 ? [fullSentence(date, days.mostKeysADay)] : []));
}

function fullSentence(date: string, mostKeys: number): string {
  return (
    `more access keys are in use on ${date} than fit (${mostKeys} a day): ` +
    'those that were not used for longest make room and are fetched again when needed; raise KEYD_KEY_MEMORY'
  );
}
