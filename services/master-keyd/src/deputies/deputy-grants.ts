import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  identityOf,
  KeydError,
  MOST_DAYS_A_GRANT,
  MOST_GRANT_DAYS_AHEAD,
  spiffeIdOf,
  windowOfDays,
  type DeputyGrant,
  type DeputyGrantRequest,
  type DeputyIdentity,
  type GrantedDays,
  type ListedDeputyGrants,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { addDays, scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from '../audit.js';
import type { Author } from '../author.js';
import { lockForChanging } from '../database/locks.js';
import { inTransaction, type Transaction } from '../database/transaction.js';
import { allGrants, countGrants, grantsInForce, insertGrant, isGranted, withdrawGrants } from './grant-table.js';

export interface DeputyGrantsOptions {
  readonly pool: Pool;
  /** Whether this master hands out kDate at all. */
  readonly isAllowed: boolean;
  readonly window: WindowRule;
  readonly trustDomain: string;
  readonly now: () => number;
}

/** Which days operators grant to deputies. */
export class DeputyGrants {
  readonly #options: DeputyGrantsOptions;

  constructor(options: DeputyGrantsOptions) {
    this.#options = options;
  }

  /** The days that can be granted at all: those of the window, and a few more ahead. */
  get window(): WindowRule {
    return { ...this.#options.window, daysAhead: MOST_GRANT_DAYS_AHEAD };
  }

  async grant(author: Author, wanted: DeputyGrantRequest): Promise<DeputyGrant> {
    const { pool, now } = this.#options;
    if (!this.#options.isAllowed) throw new KeydError('wrong-state', { detail: OFF });
    this.#requireDeputy(wanted.deputy);
    const at = now();
    this.#requireBounded(wanted, at);
    const { deputy, from, to, reason } = wanted;
    const record = actionOf(author, at, { action: 'grant-days', identity: deputy, detail: { from, to, reason } });
    const granted = await inTransaction(pool, async (transaction) => {
      const grant = await insertGrant(transaction, { ...wanted, author: spiffeIdOf(author.operator), at });
      await recordOperatorAction(transaction, record);
      return grant;
    });
    logOperatorAction(author.log, record);
    return granted;
  }

  /** Once this resolves, the deputy is given nothing more, and the records say all that it was given. */
  async withdraw(author: Author, deputy: string): Promise<readonly DeputyGrant[]> {
    const { pool, now } = this.#options;
    this.#requireDeputy(deputy);
    const at = now();
    const record = actionOf(author, at, { action: 'withdraw-days', identity: deputy });
    const withdrawn = await inTransaction(pool, async (transaction) => {
      // Waits for issuances under way.
      await lockForChanging(transaction);
      const grants = await withdrawGrants(transaction, { deputy, author: spiffeIdOf(author.operator), at });
      if (grants.length === 0) throw new KeydError('not-found', { detail: `${deputy} has no grant` });
      await recordOperatorAction(transaction, record);
      return grants;
    });
    logOperatorAction(author.log, record);
    return withdrawn;
  }

  async list(): Promise<ListedDeputyGrants> {
    const { pool, isAllowed } = this.#options;
    return { isAllowed, grants: [...(await inTransaction(pool, allGrants))] };
  }

  /** How many grants there are, of all deputies, whose last day is not over. */
  async count(): Promise<number> {
    const { pool, isAllowed, now } = this.#options;
    if (!isAllowed) return 0;
    return inTransaction(pool, (transaction) => countGrants(transaction, scopeDateOf(now())));
  }

  /** What the deputy may have now. */
  async grantsOf(deputy: DeputyIdentity): Promise<readonly GrantedDays[]> {
    const { pool, isAllowed, now } = this.#options;
    if (!isAllowed) return [];
    const at = now();
    const oldest = windowOfDays(this.window, at)[0] ?? scopeDateOf(at);
    return inTransaction(pool, (transaction) => grantsInForce(transaction, spiffeIdOf(deputy), oldest));
  }

  /** Rejects with KeydError 'no-grant', in the transaction that issues. */
  async requireGranted(transaction: Transaction, deputy: DeputyIdentity, date: ScopeDate): Promise<void> {
    if (!this.#options.isAllowed) throw new KeydError('no-grant', { detail: OFF });
    if (!(await isGranted(transaction, spiffeIdOf(deputy), date))) throw new KeydError('no-grant', { detail: date });
  }

  #requireDeputy(spiffeId: string): void {
    const { trustDomain } = this.#options;
    const id = parseSpiffeId(spiffeId);
    const identity = id && identityOf(id);
    if (identity?.role === 'deputy' && identity.trustDomain === trustDomain) return;
    throw new KeydError('malformed-request', { detail: `deputy: must be spiffe://${trustDomain}/deputy/NAME` });
  }

  #requireBounded({ from, to }: GrantedDays, at: number): void {
    if (to > addDays(from, MOST_DAYS_A_GRANT - 1)) {
      throw new KeydError('malformed-request', { detail: `to: a grant is for ${MOST_DAYS_A_GRANT} days at most` });
    }
    const days = windowOfDays(this.window, at);
    const [oldest = from, newest = to] = [days[0], days.at(-1)];
    if (from >= oldest && to <= newest) return;
    throw new KeydError('malformed-request', { detail: `from, to: must be from ${oldest} to ${newest}` });
  }
}

const OFF = 'deputies are off: set KEYD_ALLOW_DEPUTIES=yes on every master';

function actionOf(
  { operator, requestId }: Author,
  at: number,
  deed: { readonly action: 'grant-days' | 'withdraw-days'; readonly identity: string; readonly detail?: object },
): OperatorAction {
  return { at, operator, requestId, ...deed };
}
