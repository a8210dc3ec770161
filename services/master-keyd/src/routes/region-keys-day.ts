import { REGION_KEYS } from '@sigv4-keyd/hop-protocol';
import type { DayStreams, MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { KREGION_BYTES } from '../day-pages.js';
import { dayRoute } from '../day-route.js';
import type { IssuingOptions } from '../key-source.js';

/** POST /v1/region-keys/day: a region's own kRegion of one day, for all its access keys or the pinned ones. */
export function regionKeysDayRoute(
  app: MtlsApp,
  sending: { readonly streams: DayStreams; readonly budget: PeerBudget },
  options: IssuingOptions,
): void {
  dayRoute(app, { hop: REGION_KEYS, role: 'region', kind: KREGION_BYTES }, sending, options);
}
