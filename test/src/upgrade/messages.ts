import {
  edgeReport,
  masterReport,
  ownGrants,
  regionReport,
  relayedBatches,
  rollupBatch,
  type EdgeReport,
  type GrantedDays,
  type MasterReport,
  type RegionReport,
  type RelayedBatch,
  type RollupBatch,
} from '@sigv4-keyd/hop-protocol';
import type { z } from 'zod';
import { DATE } from './wire-forms.js';

const AT = '2026-11-22T10:00:00.000Z';
const EDGE = 'spiffe://keyd.example/edge/us-east-1/s3/e1';

const own = {
  startedAt: AT,
  version: '0.1.0',
  heldDays: [{ date: DATE, keys: 3, fetchedAt: AT }],
  certificateExpiresAt: AT,
  window: { longestPresignedSeconds: 86_400, clockSkewSeconds: 900 },
};
const parents = [{ url: 'https://127.0.0.1:1', isHealthy: false, isChosen: true, since: AT, failure: 'refused' }];
const ofEdge: EdgeReport = { ...own, parents, feed: { version: 7, at: AT } };
const ofRegion: RegionReport = {
  ...{ ...own, parents },
  edges: [{ spiffeId: EDGE, heardAt: AT, report: ofEdge }],
  feed: { version: 7, at: AT, beacon: 'a.compact.jws' },
  checkpoint: { size: 9, note: 'a signed note' },
};
const ofMaster: MasterReport = { ...own, heldDays: [], parents: [], custodyKey: '0123456789abcdef' };

/** What one edge has accepted. */
export const BATCH: RollupBatch = {
  id: '00000000-0000-4000-8000-000000000001',
  rollups: (['header', 'presigned', 'post-form'] as const).map((mechanism) => ({
    ...{ accessKeyId: 'AKIAONE', scopeDate: DATE, mechanism },
    ...{ minute: AT, count: 5, first: AT, last: AT },
  })),
  dropped: 2,
};
export const RELAYED: RelayedBatch = { edge: EDGE, region: 'us-east-1', service: 's3', batch: BATCH };
export const GRANTS: readonly GrantedDays[] = [{ from: DATE, to: DATE }];

/** What tiers tell upwards and a deputy is told: all that there may be in it, and who reads it. */
export const MESSAGES: Readonly<Record<string, { readonly schema: z.ZodType; readonly sample: unknown }>> = {
  'report of an edge': { schema: edgeReport, sample: ofEdge },
  'report of a region': { schema: regionReport, sample: ofRegion },
  'report of a master': { schema: masterReport, sample: ofMaster },
  'acceptances of an edge': { schema: rollupBatch, sample: BATCH },
  'acceptances of a region': { schema: relayedBatches, sample: { batches: [RELAYED] } },
  'grants of a deputy': { schema: ownGrants, sample: { grants: GRANTS } },
};

/** Each as today's code sends it. */
export function sentMessages(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(MESSAGES).map(([name, { schema, sample }]) => [name, JSON.stringify(schema.parse(sample))]),
  );
}
