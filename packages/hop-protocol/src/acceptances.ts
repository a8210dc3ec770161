import { z } from 'zod';
import { accessKeyId, instant, regionName, scopeDate, serviceName } from './schemas.js';

/**
 * Roll-ups of accepted signatures: of constant size, however many requests there were. They go up from edge to region
 * to master; each batch has an id of its own, so that one that is sent again is not counted again.
 */
export const ACCEPTANCES_PATH = '/v1/acceptances';

export const rollup = z.strictObject({
  accessKeyId,
  scopeDate,
  mechanism: z.enum(['header', 'presigned']),
  /** The minute in which the requests were accepted, by its beginning. */
  minute: instant,
  count: z.number().int().positive(),
  first: instant,
  last: instant,
});
export type Rollup = z.infer<typeof rollup>;

export const MOST_ROLLUPS_A_BATCH = 2_000;

/** What an edge sends: region and service are those of its certificate. */
export const rollupBatch = z.strictObject({
  id: z.uuid(),
  rollups: z.array(rollup).min(1).max(MOST_ROLLUPS_A_BATCH),
  /** Roll-ups that had to be dropped since the last batch because the buffer was full: told, never hidden. */
  dropped: z.number().int().nonnegative().default(0),
});
export type RollupBatch = z.infer<typeof rollupBatch>;

/** What a region passes on: the batches of its edges, each with the edge's identity as its certificate said. */
export const relayedBatches = z.strictObject({
  batches: z
    .array(
      z.strictObject({
        edge: z.string().max(2048).startsWith('spiffe://'),
        region: regionName,
        service: serviceName,
        batch: rollupBatch,
      }),
    )
    .min(1)
    .max(50),
});
export type RelayedBatches = z.infer<typeof relayedBatches>;
