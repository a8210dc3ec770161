import type { MetricDefinition } from './metric-definition.js';
import { BELOW } from './watched.js';

/** The keys that a tier below the master holds, and for how long they last. */
export const KEY_METRICS = {
  keyd_autonomy_seconds: {
    type: 'gauge',
    help: 'For how long the service goes on with nobody above it: until the end of today, or of tomorrow.',
    labels: {},
    services: BELOW,
  },
  keyd_midnight_ready: {
    type: 'gauge',
    help: "1 when tomorrow's keys of all access keys in use are held: the UTC midnight needs nobody.",
    labels: {},
    services: BELOW,
  },
  keyd_midnight_due: {
    type: 'gauge',
    help: "1 when the hours are over in which this tier fetches tomorrow's keys.",
    labels: {},
    services: BELOW,
  },
  keyd_prefetch_lag_seconds: {
    type: 'gauge',
    help: 'For how long keys of tomorrow have been missing that could be held.',
    labels: {},
    services: BELOW,
  },
  keyd_prefetch_lag_access_keys: {
    type: 'gauge',
    help: 'Access keys in use whose key of tomorrow could be held and is not.',
    labels: {},
    services: BELOW,
  },
  keyd_days_held: {
    type: 'gauge',
    help: 'Days of which any key of the ladder is held.',
    labels: {},
    services: BELOW,
  },
  keyd_keys_held: {
    type: 'gauge',
    help: 'Keys in memory.',
    labels: {
      kind: '`ladder` (AWS4-HMAC-SHA256) or `public` (AWS4-ECDSA-P256-SHA256)',
      day: '`past`, `today` or `tomorrow`',
    },
    services: BELOW,
  },
  keyd_key_capacity_per_day: {
    type: 'gauge',
    help: 'Keys of the ladder that fit on each day of the window (KEYD_KEY_MEMORY).',
    labels: {},
    services: BELOW,
  },
  keyd_key_memory_bytes: {
    type: 'gauge',
    help: 'Memory that held keys of the ladder take.',
    labels: {},
    services: BELOW,
  },
  keyd_key_misses_total: {
    type: 'counter',
    help: 'Access keys whose key was not held when it was wanted, by what became of it; each was asked for or refused.',
    labels: { outcome: '`asked`, `absent`, `refused` or `failed`' },
    services: BELOW,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
