import type { Clock } from '@sigv4-keyd/hop-protocol';

/** Never rings. A machine that stood still for seconds takes no peer's silence for an outage by this. */
export const STANDING_TIMER: Clock = {
  now: () => 0,
  after: () => () => undefined,
};
