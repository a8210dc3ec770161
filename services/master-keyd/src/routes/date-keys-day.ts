import { DATE_KEYS } from '@sigv4-keyd/hop-protocol';
import type { DayStreams, MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { dayRoute } from '../day-route.js';
import { dateKeyBytes } from '../deputies/date-keys.js';
import type { DeputyGrants } from '../deputies/deputy-grants.js';
import type { IssuingOptions } from '../key-source.js';

/** POST /v1/date-keys/day: kDate of one day for all access keys or the pinned ones, to a deputy. */
export function dateKeysDayRoute(
  app: MtlsApp,
  sending: { readonly streams: DayStreams; readonly budget: PeerBudget },
  grants: DeputyGrants,
  options: IssuingOptions,
): void {
  const route = { hop: DATE_KEYS, role: 'deputy', kind: dateKeyBytes(grants) } as const;
  dayRoute(app, route, sending, { ...options, window: grants.window });
}
