import type { MetricDefinition } from './metric-definition.js';
import { ANSWERING, EDGE } from './watched.js';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const ROUTE = 'the path of the route as it is defined, or `none`';

/** What is counted when it happens. */
export const COUNTED = {
  keyd_requests_accepted_total: {
    type: 'counter',
    help: 'Requests whose signature and body were accepted.',
    labels: {
      mechanism: '`header`, `presigned` or `post-form`',
      algorithm: '`AWS4-HMAC-SHA256` or `AWS4-ECDSA-P256-SHA256`',
    },
    services: EDGE,
  },
  keyd_requests_refused_total: {
    type: 'counter',
    help: 'Requests that were refused, among them those that were accepted and could not be handed on (upstream-…).',
    labels: { reason: 'one of the reasons of refusals' },
    services: EDGE,
  },
  keyd_verification_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the verdict; a body that must be hashed first is waited for.',
    labels: { verdict: '`accepted` or `refused`' },
    services: EDGE,
    buckets: SECONDS,
  },
  keyd_hop_request_seconds: {
    type: 'histogram',
    help: 'From a request of a peer or an operator to the end of its answer; the long poll of the feed waits for news.',
    labels: { route: ROUTE },
    services: ANSWERING,
    buckets: SECONDS,
  },
  keyd_hop_errors_total: {
    type: 'counter',
    help: 'Answers to peers and operators that are errors.',
    labels: { route: ROUTE, code: 'one of the error codes of a hop' },
    services: ANSWERING,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
