import type { MtlsApp } from '@sigv4-keyd/service-skeleton';
import { edgeDayRoute, type EdgeDayRouteOptions } from '../edge-day-route.js';
import { K_SIGNING } from '../edge-rungs.js';

/** POST /v1/signing-keys/day: the same of kSigning, for an edge that is bound to a purpose. */
export function signingKeysDayRoute(app: MtlsApp, options: EdgeDayRouteOptions): void {
  edgeDayRoute(app, K_SIGNING, options);
}
