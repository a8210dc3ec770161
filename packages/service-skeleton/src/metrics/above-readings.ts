import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { LedgerWatch } from '../ledger-watch.js';
import type { TierAbove } from '../tier-above.js';
import type { UpwardReports } from '../upward-reports.js';
import type { Readings } from './definitions.js';

type AboveName =
  | 'keyd_parent_reachable'
  | 'keyd_parent_healthy'
  | 'keyd_ledger_size'
  | 'keyd_ledger_checkpoint_age_seconds'
  | 'keyd_ledger_refused';

export interface Above {
  readonly parents: Pick<TierAbove, 'status'>;
  readonly reports: Pick<UpwardReports, 'isParentReachable'>;
  readonly ledger: Pick<LedgerWatch, 'newest' | 'acceptedAt' | 'isRefused'>;
}

/** How a tier below the master sees the tier above, and the ledger. */
export function aboveReadings(
  { parents, reports, ledger }: Above,
  clock: Pick<Clock, 'now'>,
): Pick<Readings<'edge-verifier'>, AboveName> {
  return {
    keyd_parent_reachable: reports.isParentReachable ? 1 : 0,
    keyd_parent_healthy: parents
      .status()
      .map(({ url, isHealthy }) => ({ labels: { parent: url }, value: isHealthy ? 1 : 0 })),
    keyd_ledger_size: ledger.newest?.size ?? 0,
    keyd_ledger_checkpoint_age_seconds: (clock.now() - ledger.acceptedAt) / 1000,
    keyd_ledger_refused: ledger.isRefused ? 1 : 0,
  };
}
