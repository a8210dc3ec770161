import { draw, newAccount, type BudgetAccount, type Draw, type DrawRequest } from './budget-account.js';

/** Where the accounts of all peers are. */
export interface BudgetAccounts {
  /** Draws a portion of the peer's budget. Rejects with a KeydError when the accounts are out of reach. */
  draw(spiffeId: string, request: DrawRequest): Promise<Draw>;
}

/** For a tier whose replicas share nothing: each counts for itself. */
export function accountsInMemory(): BudgetAccounts {
  // As many as the certificates that our own authority has issued.
  const accounts = new Map<string, BudgetAccount>();
  return {
    draw(spiffeId, request) {
      const drawn = draw(accounts.get(spiffeId) ?? newAccount(request.limits, request.now), request);
      accounts.set(spiffeId, drawn.account);
      return Promise.resolve(drawn);
    },
  };
}
