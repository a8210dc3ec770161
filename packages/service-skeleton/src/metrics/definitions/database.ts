import type { MetricDefinition } from './metric-definition.js';
import { MASTER } from './watched.js';

/** The database, on which a master alone depends. */
export const DATABASE_METRICS = {
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
} as const satisfies Readonly<Record<string, MetricDefinition>>;
