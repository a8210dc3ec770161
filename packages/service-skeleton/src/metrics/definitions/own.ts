import type { MetricDefinition } from './metric-definition.js';
import { ALL } from './watched.js';

/** What every service reads of itself. */
export const OWN_METRICS = {
  keyd_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: { version: 'the release', service: 'the service' },
    services: ALL,
  },
  keyd_ready: {
    type: 'gauge',
    help: '1 while the service can do its work, as /health/ready says.',
    labels: {},
    services: ALL,
  },
  keyd_warnings: {
    type: 'gauge',
    help: 'Warnings of /health/ready that somebody should see to.',
    labels: {},
    services: ALL,
  },
  keyd_confined: {
    type: 'gauge',
    help: '1 under the permission model of Node.js; 0 when the process may do all that its user may.',
    labels: {},
    services: ALL,
  },
  keyd_certificate_not_before_timestamp_seconds: {
    type: 'gauge',
    help: "Begin of the life of the service's own certificate.",
    labels: {},
    services: ALL,
  },
  keyd_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    help: "End of the life of the service's own certificate.",
    labels: {},
    services: ALL,
  },
  keyd_certificate_expiry_seconds: {
    type: 'gauge',
    help: "Seconds until the service's own certificate ends; below 0 it has ended.",
    labels: {},
    services: ALL,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
