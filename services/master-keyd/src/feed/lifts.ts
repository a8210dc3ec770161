import { KeydError, type LiftAnswer } from '@sigv4-keyd/hop-protocol';
import {
  describeScope,
  FeedError,
  isLift,
  isRevocation,
  verifyStatement,
  type LiftStatement,
  type PinnedKeys,
  type RevocationStatement,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import type { Author } from '../author.js';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from '../audit.js';
import type { Transaction } from '../database/transaction.js';
import { lockFeed } from './feed-row.js';
import type { MasterFeed } from './master-feed.js';
import { insertStatement } from './statement-table.js';

export interface LiftsOptions {
  readonly feed: MasterFeed;
  readonly keys: PinnedKeys;
  readonly now: () => number;
}

/** Takes lifts that were signed with the offline root key; whoever brings one need not hold that key. */
export class Lifts {
  readonly #options: LiftsOptions;

  constructor(options: LiftsOptions) {
    this.#options = options;
  }

  /** When this resolves, the lift is stored and the beacon that names it is served. */
  async submit(author: Author, jws: string): Promise<LiftAnswer> {
    const { feed, keys, now } = this.#options;
    const lift = await openLift(jws, keys);
    const { lifted, record } = await feed.publish(async (transaction) => {
      await lockFeed(transaction);
      const lifted = await findLifted(transaction, lift.statement, keys);
      if (!(await insertStatement(transaction, lift))) {
        throw new KeydError('already-exists', { detail: `${lifted.id} is lifted already` });
      }
      const record = recordOf(author, now(), lift);
      await recordOperatorAction(transaction, record);
      return { lifted, record };
    });
    logOperatorAction(author.log, record);
    return { lift: lift.statement, digest: lift.digest, scope: describeScope(lifted) };
  }
}

async function openLift(jws: string, keys: PinnedKeys): Promise<SignedStatement<LiftStatement>> {
  const signed = await verified(jws, keys);
  if (isLift(signed)) return signed;
  throw new KeydError('malformed-request', { detail: 'jws: this is a revocation; POST /v1/revocations makes those' });
}

async function verified(jws: string, keys: PinnedKeys): Promise<SignedStatement> {
  try {
    return await verifyStatement(jws, keys);
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    throw new KeydError('malformed-request', { detail: `jws: ${error.code}: ${error.message}`, cause: error });
  }
}

async function findLifted(
  transaction: Transaction,
  lift: LiftStatement,
  keys: PinnedKeys,
): Promise<RevocationStatement> {
  const { rows } = await transaction.query<{ readonly jws: string }>(
    "SELECT jws FROM revocation_statement WHERE digest = $1 AND kind = 'revocation'",
    [lift.lifts],
  );
  const lifted = rows[0] && (await verifyStatement(rows[0].jws, keys));
  if (!lifted || !isRevocation(lifted)) throw new KeydError('not-found', { detail: `no statement ${lift.lifts}` });
  // With an earlier last day the lift would be forgotten first, and the scope be revoked again until the statement is.
  if (lift.to !== lifted.statement.to) {
    throw new KeydError('malformed-request', { detail: `jws: the last day must be ${lifted.statement.to}` });
  }
  return lifted.statement;
}

function recordOf({ operator, requestId }: Author, at: number, lift: SignedStatement<LiftStatement>): OperatorAction {
  const { id, lifts, author, incident } = lift.statement;
  const detail = { id, lifts, author, incident };
  return { at, operator, action: 'lift', statementDigest: lift.digest, detail, requestId };
}
