import { randomUUID } from 'node:crypto';
import { spiffeIdOf, type EdgeIdentity, type KeyAnswer, type RegionIdentity } from '@sigv4-keyd/hop-protocol';
import type { IssuanceRecord } from '@sigv4-keyd/ledger';
import type { KService, ScopeDate } from '@sigv4-keyd/sigv4-core';

export interface ServiceIssuance {
  readonly own: RegionIdentity;
  readonly edge: EdgeIdentity;
  readonly date: ScopeDate;
  readonly answer: KeyAnswer<KService>;
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Who is about to be given which kService. Made of the very answer, so that it names no more and no less. */
export function serviceIssuanceRecord({ own, edge, date, answer, requestId, at }: ServiceIssuance): IssuanceRecord {
  return {
    v: 1,
    id: randomUUID(),
    at: new Date(at).toISOString(),
    from: spiffeIdOf(own),
    to: spiffeIdOf(edge),
    rung: 'kService',
    region: own.region,
    service: edge.service,
    date,
    accessKeyIds: [...answer.issued.keys()].sort(),
    requestId,
  };
}
