import type { PeerBudget } from '../peer-budget/index.js';
import type { Readings } from './definitions.js';

type BudgetName = 'keyd_budget_keys_total' | 'keyd_budget_refused_total' | 'keyd_budget_exhausted_peers';

/** What peers have asked for, by their role: there are as many identities as certificates. */
export function budgetReadings({ counts }: Pick<PeerBudget, 'counts'>): Pick<Readings<'region-keyd'>, BudgetName> {
  return {
    keyd_budget_keys_total: counts.map(({ role, keys }) => ({ labels: { role }, value: keys })),
    keyd_budget_refused_total: counts.map(({ role, refused }) => ({ labels: { role }, value: refused })),
    keyd_budget_exhausted_peers: counts.map(({ role, exhausted }) => ({ labels: { role }, value: exhausted })),
  };
}
