import type { MetricDefinition } from './metric-definition.js';
import { MASTER, SIGNER } from './watched.js';

/** Who keeps the secrets, and whether they could be lost or used by somebody else. */
export const CUSTODY_METRICS = {
  keyd_custody_up: {
    type: 'gauge',
    help: '0 when the last key that was to be derived could not be, since the custody of the secrets did not serve.',
    labels: {},
    services: MASTER,
  },
  keyd_custody_recoverable: {
    type: 'gauge',
    help: '0 when whoever loses the custody key loses every secret, since it is not wrapped for a recovery key.',
    labels: { keeper: '`file`: no other one has a custody key' },
    services: MASTER,
  },
  keyd_custody_sessions: {
    type: 'gauge',
    help: 'Sessions with the token that has the keys of the secrets. With KEYD_CUSTODY=pkcs11 alone.',
    labels: { state: '`held` or `wanted`' },
    services: MASTER,
  },
  keyd_custody_signer_calls_total: {
    type: 'counter',
    help: 'Calls to signers, each recorded before it was made. With KEYD_CUSTODY=external alone.',
    labels: {},
    services: MASTER,
  },
  keyd_signer_calls_total: {
    type: 'counter',
    help: 'Calls that the journal of the signer has counted, each before it was answered.',
    labels: {},
    services: SIGNER,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
