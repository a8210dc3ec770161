import type { MetricDefinition } from './metric-definition.js';
import { BELOW, MASTER, TIERS } from './watched.js';

/** What is known of the revocation feed. */
export const FEED_METRICS = {
  keyd_feed_version: {
    type: 'gauge',
    help: 'Version of the newest beacon of the revocation feed; 0 before the first.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_age_seconds: {
    type: 'gauge',
    help: 'Age of the newest beacon; +Inf before the first.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_statements: {
    type: 'gauge',
    help: 'Revocation statements in force.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_access_key_changes: {
    type: 'gauge',
    help: 'Access keys of which the feed tells a change.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_banned_identities: {
    type: 'gauge',
    help: 'Identities that the newest beacon bans.',
    labels: {},
    services: TIERS,
  },
  keyd_feed_publisher: {
    type: 'gauge',
    help: '1 at the master that signs the beacons at present.',
    labels: {},
    services: MASTER,
  },
  keyd_feed_stale: {
    type: 'gauge',
    help: '1 past the horizon, or past the end of the beacon itself. Past the hard one an edge serves nothing.',
    labels: { horizon: '`soft` or `hard`' },
    services: BELOW,
  },
  keyd_feed_source_reachable: {
    type: 'gauge',
    help: '1 while this source of the feed answers.',
    labels: { source: 'HOST:PORT of the source, as configured' },
    services: BELOW,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
