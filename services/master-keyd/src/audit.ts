import { randomUUID } from 'node:crypto';
import {
  spiffeIdOf,
  type AccessKeyChangeKind,
  type DeputyIdentity,
  type MasterIdentity,
  type OperatorIdentity,
  type RegionIdentity,
} from '@sigv4-keyd/hop-protocol';
import type { IssuanceRecord } from '@sigv4-keyd/ledger';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { FastifyBaseLogger } from 'fastify';
import type { Transaction } from './database/transaction.js';
import { insertRecords } from './ledger/record-table.js';

/** Whom a master gives keys to. */
export type KeyTaker = RegionIdentity | DeputyIdentity;

/** What is good where: kDate in every region. */
export type IssuedScope =
  { readonly rung: 'kDate' } | { readonly rung: 'kRegion' | 'publicKey'; readonly region: string };

/** What a region or a deputy was given: who, which access keys, which scope, when, by whom. */
export interface Issuance {
  readonly at: number;
  readonly scope: IssuedScope;
  readonly peer: KeyTaker;
  readonly scopeDate: ScopeDate;
  readonly accessKeyIds: readonly string[];
  readonly absentCount: number;
  readonly master: MasterIdentity;
  readonly requestId: string;
}

export type AccessKeyActionName =
  'create' | 'create-session' | 'import' | 'rotate' | AccessKeyChangeKind | 'pin' | 'unpin';

/** What was done, and to what. */
export type OperatorDeed =
  | { readonly action: AccessKeyActionName; readonly accessKeyId: string }
  | { readonly action: 'revoke' | 'lift'; readonly statementDigest: string }
  | { readonly action: 'ban' | 'unban' | 'grant-days' | 'withdraw-days'; readonly identity: string }
  | { readonly action: 'resume-after-restore' | 'rotate-custody-key' };

export type OperatorAction = OperatorDeed & {
  readonly at: number;
  readonly operator: OperatorIdentity;
  /** What else is worth knowing; never a secret. */
  readonly detail?: object;
  readonly requestId: string;
};

/** Written in the transaction that must be durable before the keys are released. */
export async function recordIssuance(transaction: Transaction, issuance: Issuance): Promise<void> {
  const record: IssuanceRecord = {
    v: 1,
    id: randomUUID(),
    at: new Date(issuance.at).toISOString(),
    from: spiffeIdOf(issuance.master),
    to: spiffeIdOf(issuance.peer),
    ...issuance.scope,
    date: issuance.scopeDate,
    accessKeyIds: issuance.accessKeyIds.toSorted(),
    requestId: issuance.requestId,
  };
  await insertRecords(transaction, [record]);
}

/** Written in the transaction of the change. */
export function recordOperatorAction(transaction: Transaction, action: OperatorAction): Promise<void> {
  return recordOperatorActions(transaction, [action]);
}

/** The same for many, with one statement. */
export async function recordOperatorActions(
  transaction: Transaction,
  actions: readonly OperatorAction[],
): Promise<void> {
  const rows = actions.map((action) => ({
    id: randomUUID(),
    at: new Date(action.at).toISOString(),
    spiffe_id: spiffeIdOf(action.operator),
    action: action.action,
    access_key_id: 'accessKeyId' in action ? action.accessKeyId : null,
    statement_digest: 'statementDigest' in action ? action.statementDigest : null,
    identity: 'identity' in action ? action.identity : null,
    detail: action.detail ?? {},
    request_id: action.requestId,
  }));
  await transaction.query(
    `INSERT INTO operator_action (id, at, spiffe_id, action, access_key_id, statement_digest, identity, detail, request_id)
     SELECT id, at, spiffe_id, action, access_key_id, statement_digest, identity, detail, request_id
       FROM jsonb_to_recordset($1) AS row (id uuid, at timestamptz, spiffe_id text, action text, access_key_id text,
                                           statement_digest text, identity text, detail jsonb, request_id text)`,
    [JSON.stringify(rows)],
  );
}

/** One line for every answer to a region or a deputy, in the log of its request: who, which scope, how many. */
export function logIssuance(log: FastifyBaseLogger, issuance: Issuance): void {
  log.info(
    {
      event: issuance.scope.rung === 'kDate' ? 'date-keys-issued' : 'region-keys-issued',
      rung: issuance.scope.rung,
      peer: spiffeIdOf(issuance.peer),
      scopeDate: issuance.scopeDate,
      issued: issuance.accessKeyIds.length,
      absent: issuance.absentCount,
    },
    `issued ${issuance.scope.rung}`,
  );
}

export function logOperatorAction(log: FastifyBaseLogger, action: OperatorAction): void {
  const deed = {
    peer: spiffeIdOf(action.operator),
    action: action.action,
    ...('accessKeyId' in action && { accessKeyId: action.accessKeyId }),
    ...('statementDigest' in action && { statementDigest: action.statementDigest }),
    ...('identity' in action && { identity: action.identity }),
  };
  if ('accessKeyId' in action) log.info({ event: 'access-key-changed', ...deed }, 'access key changed');
  else if (action.action === 'rotate-custody-key') log.info({ event: 'secrets-resealed', ...deed }, 'secrets resealed');
  else if (action.action === 'grant-days' || action.action === 'withdraw-days') {
    log.warn({ event: 'deputy-grants-changed', security: true, ...deed }, 'what a deputy may have has changed');
  } else log.info({ event: 'feed-changed', ...deed }, 'feed changed');
}

/** Access keys of one request that its line names; the records have all of them. */
const MOST_NAMED = 20;

/** One line for a request, however many access keys it changes. */
export function logAccessKeyChanges(log: FastifyBaseLogger, actions: readonly OperatorAction[]): void {
  const [first] = actions;
  if (first === undefined) return;
  if (actions.length === 1) {
    logOperatorAction(log, first);
    return;
  }
  const accessKeyIds = actions
    .slice(0, MOST_NAMED)
    .flatMap((deed) => ('accessKeyId' in deed ? [deed.accessKeyId] : []));
  const { operator, action } = first;
  log.info(
    {
      event: 'access-keys-changed',
      peer: spiffeIdOf(operator),
      action,
      count: actions.length,
      accessKeyIds,
    },
    'access keys changed',
  );
}
