import { randomUUID } from 'node:crypto';
import {
  KeydError,
  spiffeIdOf,
  type BlastRadius,
  type ListedRevocations,
  type RevocationAnswer,
  type revocationRequest,
} from '@sigv4-keyd/hop-protocol';
import {
  describeScope,
  isLift,
  isRevocation,
  keptUntil,
  MOST_STATEMENTS,
  signStatement,
  verifyStatement,
  type RevocationStatement,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import type { z } from 'zod';
import type { Author } from '../author.js';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from '../audit.js';
import { findAccessKeys } from '../database/access-keys.js';
import { lockForChanging } from '../database/locks.js';
import { inTransaction, type Transaction } from '../database/transaction.js';
import { blastRadius } from '../incident/blast-radius.js';
import { dayOf, waysBack } from '../incident/sentences.js';
import { lockFeed } from './feed-row.js';
import type { MasterFeed } from './master-feed.js';
import { newestIssuedDay } from './newest-issued-day.js';
import type { PublishingRule } from './published-feed.js';
import { insertStatement } from './statement-table.js';

export interface RevocationsOptions {
  readonly pool: Pool;
  readonly feed: MasterFeed;
  readonly rule: PublishingRule;
  readonly now: () => number;
}

type Wanted = z.output<typeof revocationRequest>;

/** What operators revoke. */
export class Revocations {
  readonly #options: RevocationsOptions;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** When this resolves, the statement is stored and the beacon that names it is served; unless it was a dry run. */
  async revoke(author: Author, wanted: Wanted): Promise<RevocationAnswer> {
    const { pool, feed, rule, now } = this.#options;
    const at = now();
    if (wanted.dryRun) {
      const statement = await inTransaction(pool, (transaction) => statementFor(transaction, author, wanted, at));
      return this.#answer(wanted, statement, false);
    }
    const { statement, record } = await feed.publish(async (transaction) => {
      const statement = await statementFor(transaction, author, wanted, at);
      const jws = await signStatement(statement, rule.keys.revocation);
      const signed = await verifyStatement(jws, rule.keys.pinned);
      await lockFeed(transaction);
      this.#requireRoom();
      const isNew = await insertStatement(transaction, signed);
      if (!isNew) throw new KeydError('already-exists', { detail: statement.id });
      const record = recordOf(author, at, signed);
      await recordOperatorAction(transaction, record);
      return { statement, record };
    });
    logOperatorAction(author.log, record);
    return this.#answer(wanted, statement, true);
  }

  /** Every statement ever made; the newest last. */
  async list(): Promise<ListedRevocations> {
    const { feed, rule } = this.#options;
    await feed.refresh();
    const all = feed.held?.known.statements ?? [];
    const lifts = new Map(all.filter(isLift).map(({ statement }) => [statement.lifts, statement]));
    return {
      revocations: all.filter(isRevocation).map(({ statement, digest }) => {
        const liftedBy = lifts.get(digest);
        return {
          statement,
          digest,
          scope: describeScope(statement),
          ...(liftedBy && { liftedBy }),
          keptUntil: new Date(keptUntil(statement, rule.retention)).toISOString(),
        };
      }),
    };
  }

  #requireRoom(): void {
    const count = this.#options.feed.held?.statements.length ?? 0;
    if (count < MOST_STATEMENTS - 1) return;
    throw new KeydError('wrong-state', {
      detail: `the feed is full (${count} statements); revoke wider scopes, or wait until old statements end`,
    });
  }

  async #answer(wanted: Wanted, statement: RevocationStatement, published: boolean): Promise<RevocationAnswer> {
    const radius = await this.#blastRadius(wanted, statement, published);
    const remainsGood = [...radius.remainsGood, ...waysBack(statement, this.#options.now())];
    const answer = { scope: describeScope(statement), blastRadius: { ...radius, remainsGood } };
    return { statement, published, ...answer };
  }

  /** What was published is answered as such, even where its blast radius cannot be told. */
  async #blastRadius(wanted: Wanted, statement: RevocationStatement, published: boolean): Promise<BlastRadius> {
    try {
      const radius = await inTransaction(this.#options.pool, (transaction) => blastRadius(transaction, statement));
      return { ...radius, remainsGood: [...notesOn(wanted, statement, radius), ...radius.remainsGood] };
    } catch (error) {
      if (!published) throw error;
      const remainsGood = ['The blast radius could not be told just now; ask for it with a dry run.'];
      return { accessKeys: [], accessKeyCount: 0, identities: [], acceptances: { count: 0 }, remainsGood };
    }
  }
}

function notesOn(wanted: Wanted, { to }: RevocationStatement, { accessKeyCount }: BlastRadius): readonly string[] {
  if (accessKeyCount === 0) return ['No keys were ever issued for this scope: check that it is spelt as you mean it.'];
  return wanted.to === undefined
    ? [`The last day is ${dayOf(to)}: no key of a later one was issued for this scope.`]
    : [];
}

async function statementFor(
  transaction: Transaction,
  { operator }: Author,
  { accessKeyId, region, service, from, to, issuedBefore, incident, reason }: Wanted,
  at: number,
): Promise<RevocationStatement> {
  if (accessKeyId !== undefined && !(await findAccessKeys(transaction, [accessKeyId])).has(accessKeyId)) {
    throw new KeydError('not-found', { detail: `${accessKeyId} was never an access key; check how it is spelt` });
  }
  return {
    kind: 'revocation',
    id: randomUUID(),
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(region !== undefined && { region }),
    ...(service !== undefined && { service }),
    from,
    to: to ?? (await lastDayFor(transaction, { region, accessKeyId, from }, at)),
    ...(issuedBefore !== undefined && { issuedBefore: Date.parse(issuedBefore) }),
    incident,
    reason,
    author: spiffeIdOf(operator),
    at: new Date(at).toISOString(),
  };
}

/** Today at least: whoever broke in can ask for keys of today as long as nobody knows. */
async function lastDayFor(
  transaction: Transaction,
  { from, ...scope }: Pick<Wanted, 'from' | 'region' | 'accessKeyId'>,
  at: number,
): Promise<RevocationStatement['to']> {
  // Waits for issuances under way: the days that their records will name count, too.
  await lockForChanging(transaction);
  const newest = await newestIssuedDay(transaction, scope);
  return [from, scopeDateOf(at), newest ?? from].reduce((one, other) => (one < other ? other : one));
}

function recordOf({ operator, requestId }: Author, at: number, signed: SignedStatement): OperatorAction {
  const { id, incident } = signed.statement;
  return { at, operator, action: 'revoke', statementDigest: signed.digest, detail: { id, incident }, requestId };
}
