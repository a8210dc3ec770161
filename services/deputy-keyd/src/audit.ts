import { randomUUID } from 'node:crypto';
import { spiffeIdOf, type DeputyIdentity, type RegionIdentity } from '@sigv4-keyd/hop-protocol';
import type { IssuanceRecord } from '@sigv4-keyd/ledger';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';

/** Who is given which keys. */
export interface IssuanceToRegion {
  readonly own: DeputyIdentity;
  readonly region: RegionIdentity;
  readonly date: ScopeDate;
  /** Of the very answer, so that the record names no more and no less. */
  readonly accessKeyIds: readonly string[];
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export function issuanceToRegion(issuance: IssuanceToRegion): IssuanceRecord {
  const { own, region, date, accessKeyIds, requestId, at } = issuance;
  return {
    v: 1,
    id: randomUUID(),
    at: new Date(at).toISOString(),
    from: spiffeIdOf(own),
    to: spiffeIdOf(region),
    rung: 'kRegion',
    region: region.region,
    date,
    accessKeyIds: accessKeyIds.toSorted(),
    requestId,
  };
}

/** One line for every answer to a region: who, which scope, how many. Never a key. */
export function logIssuance(log: Logger, issuance: IssuanceToRegion, absentCount: number): void {
  const { region, date, accessKeyIds } = issuance;
  const line = {
    event: 'region-keys-issued',
    rung: 'kRegion',
    peer: spiffeIdOf(region),
    scopeDate: date,
    issued: accessKeyIds.length,
    absent: absentCount,
  };
  log.info(line, 'issued kRegion in place of a master');
}
