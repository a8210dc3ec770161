import type { Logger } from './logging.js';

/** Tells the log when fetching tomorrow's keys begins to fail, and when it works again. */
export function tellPrefetch(log: Logger, failure: unknown): void {
  if (failure === undefined) log.info({ event: 'prefetch-resumed' }, "tomorrow's keys are being fetched again");
  else
    log.warn({ event: 'prefetch-failing', err: failure }, "tomorrow's keys cannot be fetched yet; trying every minute");
}
