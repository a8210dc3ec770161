import type { MetricDefinition } from './metric-definition.js';
import { MASTER } from './watched.js';

/** What a master alone depends on. */
export const MASTER_METRICS = {
  keyd_database_up: {
    type: 'gauge',
    help: '1 while the database takes records.',
    labels: {},
    services: MASTER,
  },
  keyd_database_connections: {
    type: 'gauge',
    help: 'Connections to the database, and requests that wait for one.',
    labels: { state: '`busy`, `idle` or `waiting`' },
    services: MASTER,
  },
  keyd_custody_up: {
    type: 'gauge',
    help: '0 when the last key that was to be derived could not be, since the custody of the secrets did not serve.',
    labels: {},
    services: MASTER,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
