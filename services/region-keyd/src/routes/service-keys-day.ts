import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { edgeDayRoute, type EdgeDayRouteOptions } from '../edge-day-route.js';
import { K_SERVICE } from '../edge-rungs.js';

/** POST /v1/service-keys/day: an edge's kService of one day, for all its access keys or the pinned ones. */
export function serviceKeysDayRoute(app: MtlsApp, options: EdgeDayRouteOptions): void {
  edgeDayRoute(app, K_SERVICE, options);
}
