import type { MetricDefinition } from './metric-definition.js';
import { DEPUTY, MASTER } from './watched.js';

/** What was granted to deputies, and for how long. */
export const DEPUTY_METRICS = {
  keyd_deputy_grants: {
    type: 'gauge',
    help: 'Grants to deputies that were not withdrawn and whose last day is not over; read once a minute.',
    labels: {},
    services: MASTER,
  },
  keyd_deputy_days_granted: {
    type: 'gauge',
    help: 'Days from today on that are granted to this deputy, as a master last told.',
    labels: {},
    services: DEPUTY,
  },
  keyd_deputy_grant_seconds: {
    type: 'gauge',
    help: 'Until the granted days that follow one another from today on are over; 0 when today is not granted.',
    labels: {},
    services: DEPUTY,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
