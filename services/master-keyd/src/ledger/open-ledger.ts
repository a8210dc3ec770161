import type { Clock } from '@sigv4-keyd/hop-protocol';
import { parseVerifierKey } from '@sigv4-keyd/ledger';
import type { Logger, Readings } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import type { Configuration } from '../configuration.js';
import { Journals } from './journals.js';
import { openLedgerKey } from './ledger-key.js';
import { LedgerStatus } from './ledger-status.js';
import { RecordIndex } from './record-index.js';
import { Sequencer } from './sequencer.js';
import { SequencerBeat } from './sequencer-beat.js';

type LedgerReadings = Pick<
  Readings<'master-keyd'>,
  'keyd_ledger_size' | 'keyd_ledger_checkpoint_age_seconds' | 'keyd_ledger_pending_records' | 'keyd_ledger_gaps'
>;

/** All that master-keyd does about the ledger. */
export interface LedgerParts {
  readonly beat: SequencerBeat;
  readonly journals: Journals;
  readonly index: RecordIndex;
  readonly status: () => object;
  readonly readings: () => LedgerReadings;
  /** What somebody should see to, in words. */
  readonly warnings: () => readonly string[];
}

/** Throws StartError for a key that cannot be used. */
export function openLedger(
  configuration: Configuration,
  { pool, clock, log }: { readonly pool: Pool; readonly clock: Clock; readonly log: Logger },
): LedgerParts {
  const signer = openLedgerKey(configuration);
  const { trustDomain } = configuration;
  const sequencer = new Sequencer({ pool, signer, trustDomain, log });
  const ledger = { origin: signer.name, verifiers: [parseVerifierKey(signer.verifierKey)] };
  const status = new LedgerStatus({ pool, ledger, log });
  const beat = new SequencerBeat({ sequencer, look: () => status.look(), clock, log });
  return {
    beat,
    journals: new Journals({ pool, log, now: () => clock.now() }),
    index: new RecordIndex({ pool, log }),
    status: () => ({ ...status.seen, ...(beat.failure !== undefined && { failure: beat.failure }) }),
    readings: () => ({
      keyd_ledger_size: status.seen.size,
      keyd_ledger_checkpoint_age_seconds: (clock.now() - beat.inOrderAt) / 1000,
      keyd_ledger_pending_records: status.seen.pending,
      keyd_ledger_gaps: [
        { labels: { kind: 'journal-refused' }, value: status.seen.refusedJournals.length },
        { labels: { kind: 'set-back' }, value: status.seen.ahead.length },
      ],
    }),
    warnings: () => [
      ...(beat.failure === undefined ? [] : [`the ledger does not grow: ${beat.failure}`]),
      ...status.warnings(),
    ],
  };
}
