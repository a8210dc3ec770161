import { randomUUID } from 'node:crypto';
import { spiffeIdOf, type MasterIdentity, type OperatorIdentity, type RegionIdentity } from '@sigv4-keyd/hop-protocol';
import type { IssuanceRecord } from '@sigv4-keyd/ledger';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { FastifyBaseLogger } from 'fastify';
import type { Transaction } from './database/transaction.js';
import { insertRecords } from './ledger/record-table.js';

/** What a region was given: who, which access keys, which scope, when, by whom. */
export interface Issuance {
  readonly at: number;
  readonly region: RegionIdentity;
  readonly scopeDate: ScopeDate;
  readonly accessKeyIds: readonly string[];
  readonly absentCount: number;
  readonly master: MasterIdentity;
  readonly requestId: string;
}

export type AccessKeyActionName = 'create' | 'import' | 'enable' | 'disable' | 'delete' | 'pin' | 'unpin';

/** What was done, and to what. */
export type OperatorDeed =
  | { readonly action: AccessKeyActionName; readonly accessKeyId: string }
  | { readonly action: 'revoke' | 'lift'; readonly statementDigest: string }
  | { readonly action: 'ban' | 'unban'; readonly identity: string }
  | { readonly action: 'resume-after-restore' };

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
    to: spiffeIdOf(issuance.region),
    rung: 'kRegion',
    region: issuance.region.region,
    date: issuance.scopeDate,
    accessKeyIds: issuance.accessKeyIds.toSorted(),
    requestId: issuance.requestId,
  };
  await insertRecords(transaction, [record]);
}

/** Written in the transaction of the change. */
export async function recordOperatorAction(transaction: Transaction, action: OperatorAction): Promise<void> {
  await transaction.query(
    `INSERT INTO operator_action (id, at, spiffe_id, action, access_key_id, statement_digest, identity, detail, request_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      randomUUID(),
      new Date(action.at),
      spiffeIdOf(action.operator),
      action.action,
      'accessKeyId' in action ? action.accessKeyId : null,
      'statementDigest' in action ? action.statementDigest : null,
      'identity' in action ? action.identity : null,
      action.detail ?? {},
      action.requestId,
    ],
  );
}

/** One line for every answer to a region: who, which scope, how many. Never a key. */
export function logIssuance(log: FastifyBaseLogger, issuance: Issuance): void {
  log.info(
    {
      event: 'region-keys-issued',
      peer: spiffeIdOf(issuance.region),
      scopeDate: issuance.scopeDate,
      issued: issuance.accessKeyIds.length,
      absent: issuance.absentCount,
      requestId: issuance.requestId,
    },
    'issued kRegion',
  );
}

export function logOperatorAction(log: FastifyBaseLogger, action: OperatorAction): void {
  const deed = {
    peer: spiffeIdOf(action.operator),
    action: action.action,
    ...('accessKeyId' in action && { accessKeyId: action.accessKeyId }),
    ...('statementDigest' in action && { statementDigest: action.statementDigest }),
    ...('identity' in action && { identity: action.identity }),
    requestId: action.requestId,
  };
  if ('accessKeyId' in action) log.info({ event: 'access-key-changed', ...deed }, 'access key changed');
  else log.info({ event: 'feed-changed', ...deed }, 'feed changed');
}
