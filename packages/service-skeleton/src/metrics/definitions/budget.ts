import type { MetricDefinition } from './metric-definition.js';
import { SERVING } from './watched.js';

const ROLE = 'the role of the peers, such as `region` or `edge`';

/** What peers take out of their budgets. */
export const BUDGET_METRICS = {
  keyd_budget_keys_total: {
    type: 'counter',
    help: 'Access keys that peers asked for, out of their budgets.',
    labels: { role: ROLE },
    services: SERVING,
  },
  keyd_budget_refused_total: {
    type: 'counter',
    help: 'Requests that were refused since the budget of the peer was used up, or too many of its own were under way.',
    labels: { role: ROLE },
    services: SERVING,
  },
  keyd_budget_exhausted_peers: {
    type: 'gauge',
    help: 'Peers that are told to wait at present.',
    labels: { role: ROLE },
    services: SERVING,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
