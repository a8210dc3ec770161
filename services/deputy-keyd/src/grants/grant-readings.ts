import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { Readings } from '@sigv4-keyd/service-skeleton';
import { addDays, scopeDateOf, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import type { OwnGrants } from './own-grants.js';

type GrantName = 'keyd_deputy_days_granted' | 'keyd_deputy_grant_seconds';

/** For how long the deputy may go on. */
export function grantReadings(
  grants: Pick<OwnGrants, 'covers' | 'days'>,
  clock: Pick<Clock, 'now'>,
): Pick<Readings<'deputy-keyd'>, GrantName> {
  const now = clock.now();
  const today = scopeDateOf(now);
  let end = today;
  while (grants.covers(end)) end = addDays(end, 1);
  return {
    keyd_deputy_days_granted: grants.days.filter((date) => date >= today).length,
    keyd_deputy_grant_seconds: end === today ? 0 : (startOfScopeDate(end) - now) / 1000,
  };
}
