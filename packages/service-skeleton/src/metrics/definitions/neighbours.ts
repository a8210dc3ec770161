import type { MetricDefinition } from './metric-definition.js';
import { BELOW, COUNTING, REGION } from './watched.js';

/** The tiers above and below, and the reports between them. */
export const NEIGHBOUR_METRICS = {
  keyd_parent_reachable: {
    type: 'gauge',
    help: '1 while the tier above takes the reports of this one.',
    labels: {},
    services: BELOW,
  },
  keyd_parent_healthy: {
    type: 'gauge',
    help: '1 for each parent that is asked, 0 for one that was put aside.',
    labels: { parent: 'URL of the parent, as configured' },
    services: BELOW,
  },
  keyd_rollup_waiting_bytes: {
    type: 'gauge',
    help: 'Counts of accepted signatures that wait on disk for the tier above.',
    labels: {},
    services: COUNTING,
  },
  keyd_rollup_edges_over_share: {
    type: 'gauge',
    help: 'Edges that brought more counts than they may have waiting here, and keep the rest.',
    labels: {},
    services: REGION,
  },
  keyd_edges_heard: {
    type: 'gauge',
    help: 'Edges that reported here within a minute.',
    labels: {},
    services: REGION,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
