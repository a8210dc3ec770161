import type { MetricDefinition } from './metric-definition.js';
import { BELOW, ISSUING, MASTER, TIERS } from './watched.js';

/** The ledger of issuance records, and the journals that go into it. */
export const LEDGER_METRICS = {
  keyd_ledger_size: {
    type: 'gauge',
    help: 'Leaves of the newest checkpoint of the ledger that is known here.',
    labels: {},
    services: TIERS,
  },
  keyd_ledger_checkpoint_age_seconds: {
    type: 'gauge',
    help: 'Since the ledger was last found to be in order: sequenced at master-keyd, its checkpoint accepted below.',
    labels: {},
    services: TIERS,
  },
  keyd_ledger_refused: {
    type: 'gauge',
    help: '1 while the checkpoint of the ledger is refused: it was set back, rewritten, or signed by a stranger.',
    labels: {},
    services: BELOW,
  },
  keyd_ledger_pending_records: {
    type: 'gauge',
    help: 'Records that are no leaves of the ledger yet.',
    labels: {},
    services: MASTER,
  },
  keyd_ledger_gaps: {
    type: 'gauge',
    help: 'Journals that are refused for a gap or a fork, and peers that have seen more of the ledger than there is.',
    labels: { kind: '`journal-refused` or `set-back`' },
    services: MASTER,
  },
  keyd_journal_waiting_records: {
    type: 'gauge',
    help: 'Issuance records of the journal that the master does not have yet.',
    labels: {},
    services: ISSUING,
  },
  keyd_journal_failing: {
    type: 'gauge',
    help: '1 while nothing can be recorded, so that nothing is issued.',
    labels: {},
    services: ISSUING,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
