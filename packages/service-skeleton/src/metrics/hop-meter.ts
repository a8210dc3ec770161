import type { ErrorCode } from '@sigv4-keyd/hop-protocol';
import type { FastifyRequest } from 'fastify';
import type { Metrics } from './metrics.js';

type Asked = Pick<FastifyRequest, 'routeOptions'>;

/** Counts what a listener answers to peers and operators, by route and error code. */
export class HopMeter {
  readonly #answered: (labels: { readonly route: string }, seconds: number) => void;
  readonly #failed: (labels: { readonly route: string; readonly code: string }) => void;

  constructor(metrics: Metrics) {
    this.#answered = metrics.histogram('keyd_hop_request_seconds');
    this.#failed = metrics.counter('keyd_hop_errors_total');
  }

  answered(request: Asked, seconds: number): void {
    this.#answered({ route: routeOf(request) }, seconds);
  }

  failed(request: Asked, code: ErrorCode): void {
    this.#failed({ route: routeOf(request), code });
  }
}

/** As it is defined: what an asker puts into the path is no label. */
function routeOf({ routeOptions }: Asked): string {
  return routeOptions.url ?? 'none';
}
