import { z } from 'zod';
import type { Hop } from '../hops.js';
import { accessKeyId, scopeDate } from '../schemas.js';

/**
 * The keys of a whole day as one stream, beside each hop's route for single access keys: POST, answered 200 with
 * frames (see frame.ts). As there, the certificate alone says whose keys these are.
 */
export const dayStreamPath = (hop: Pick<Hop<never>, 'path'>): `/v1/${string}` => `${hop.path}/day`;

export const DAY_STREAM_TYPE = 'application/octet-stream';

/** Which access keys of the scope: those that operators pinned, or every one. */
export const STREAMED_SETS = ['pinned', 'all'] as const;
export type StreamedSet = (typeof STREAMED_SETS)[number];

export const dayStreamRequest = z.strictObject({
  date: scopeDate,
  which: z.enum(STREAMED_SETS),
  /** Continue after this access key id: the order is that of the ids' bytes. */
  after: accessKeyId.optional(),
});
export type DayStreamRequest = z.infer<typeof dayStreamRequest>;
