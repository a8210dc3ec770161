import { randomUUID } from 'node:crypto';
import { spiffeIdOf, type EdgeIdentity, type RegionIdentity } from '@sigv4-keyd/hop-protocol';
import type { IssuanceRecord } from '@sigv4-keyd/ledger';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';

/** What edges are given. */
export type EdgeRung = Exclude<IssuanceRecord['rung'], 'kDate' | 'kRegion'>;

export interface IssuanceToEdge {
  readonly own: RegionIdentity;
  readonly edge: EdgeIdentity;
  readonly rung: EdgeRung;
  readonly date: ScopeDate;
  /** Of the very answer, so that the record names no more and no less. */
  readonly accessKeyIds: readonly string[];
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Who is about to be given which keys. */
export function issuanceToEdge(issuance: IssuanceToEdge): IssuanceRecord {
  const { own, edge, rung, date, accessKeyIds, requestId, at } = issuance;
  return {
    v: 1,
    id: randomUUID(),
    at: new Date(at).toISOString(),
    from: spiffeIdOf(own),
    to: spiffeIdOf(edge),
    rung,
    region: own.region,
    service: edge.service,
    date,
    accessKeyIds: accessKeyIds.toSorted(),
    requestId,
  };
}
