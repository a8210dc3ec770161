import { randomUUID } from 'node:crypto';
import { ACCEPTANCES_PATH, type PeerClient, type RelayedBatch, type Rollup } from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { TRUST_DOMAIN } from '../support/certificates.js';

const MINUTE_MS = 60_000;

/** A roll-up of `count` requests of the minute of `at`, signed on the same day. */
export function rollupAt(at: number | string, given: Partial<Rollup> = {}): Rollup {
  const time = typeof at === 'number' ? at : Date.parse(at);
  const minute = time - (time % MINUTE_MS);
  return {
    accessKeyId: 'AKIAONE',
    scopeDate: scopeDateOf(time),
    mechanism: 'header',
    minute: new Date(minute).toISOString(),
    count: 1,
    first: new Date(time).toISOString(),
    last: new Date(time).toISOString(),
    ...given,
  };
}

export interface MadeUpEdge {
  readonly region: string;
  readonly service: string;
  readonly name?: string;
}

export function spiffeIdOfEdge({ region, service, name = 'e1' }: MadeUpEdge): string {
  return `spiffe://${TRUST_DOMAIN}/edge/${region}/${service}/${name}`;
}

export function relayed(
  edge: MadeUpEdge,
  rollups: readonly Rollup[],
  dropped = 0,
  id: string = randomUUID(),
): RelayedBatch {
  const { region, service } = edge;
  return { edge: spiffeIdOfEdge(edge), region, service, batch: { id, rollups: [...rollups], dropped } };
}

export function relay(region: PeerClient, batches: readonly unknown[]): Promise<undefined> {
  return region.call({ method: 'POST', path: ACCEPTANCES_PATH, body: { batches }, answer: z.undefined() });
}
