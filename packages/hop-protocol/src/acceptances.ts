import { z } from 'zod';
import { accessKeyId, instant, regionName, scopeDate, serviceName } from './schemas.js';

/**
 * Roll-ups of accepted signatures: of constant size, however many requests there were. They go up from edge to region
 * to master; each batch has an id of its own, so that one that is sent again is not counted again.
 */
export const ACCEPTANCES_PATH = '/v1/acceptances';

/** More than a process can verify in a minute: a bound, so that no sum of counts overflows. */
export const MOST_ACCEPTED_A_MINUTE = 100_000_000;

export const rollup = z.strictObject({
  accessKeyId,
  scopeDate,
  mechanism: z.enum(['header', 'presigned', 'post-form']),
  /** The minute in which the requests were accepted, by its beginning. */
  minute: instant,
  count: z.number().int().positive().max(MOST_ACCEPTED_A_MINUTE),
  first: instant,
  last: instant,
});
export type Rollup = z.infer<typeof rollup>;

export const MOST_ROLLUPS_A_BATCH = 2_000;
export const MOST_BATCHES_A_RELAY = 50;

/** What an edge sends: region and service are those of its certificate. */
export const rollupBatch = z
  .strictObject({
    id: z.uuid(),
    rollups: z.array(rollup).max(MOST_ROLLUPS_A_BATCH),
    /** Roll-ups that had to be dropped because a buffer was full, or were refused above: told, never hidden. */
    dropped: z.number().int().nonnegative().max(1_000_000_000).default(0),
  })
  .refine(({ rollups, dropped }) => rollups.length > 0 || dropped > 0, 'must not be empty');
export type RollupBatch = z.infer<typeof rollupBatch>;

/** A batch with the edge's identity as its certificate said to the region. */
export const relayedBatch = z.strictObject({
  edge: z.string().max(2048).startsWith('spiffe://'),
  region: regionName,
  service: serviceName,
  batch: rollupBatch,
});
export type RelayedBatch = z.infer<typeof relayedBatch>;

/** What a region passes on: the batches of its edges. */
export const relayedBatches = z.strictObject({ batches: z.array(relayedBatch).min(1).max(MOST_BATCHES_A_RELAY) });
export type RelayedBatches = z.infer<typeof relayedBatches>;
