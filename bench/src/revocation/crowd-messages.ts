import { z } from 'zod';

/** A region lets one identity wait for news eight times at most. */
export const EDGES_OF_AN_IDENTITY = 8;

const files = z.strictObject({ cert: z.string(), key: z.string(), ca: z.string() });

/** What a crowd is made of. */
const crowdOptions = z.strictObject({
  region: z.url(),
  /** JSON Web Keys of the feed. */
  feedKeysFile: z.string(),
  /** One for each connection's worth of edges. */
  identities: z.array(files),
  edges: z.number().int(),
  /** So many of them verify what they are told. */
  verifying: z.number().int(),
});
export type CrowdOptions = z.infer<typeof crowdOptions>;

/** What a crowd is told: first what it is made of, which is longer than the arguments of a process may be. */
export const crowdQuestion = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('connect'), options: crowdOptions }),
  z.strictObject({ is: z.literal('watch') }),
]);
export type CrowdQuestion = z.infer<typeof crowdQuestion>;

export const crowdAnswer = z.discriminatedUnion('is', [
  /** So many edges have a beacon by now. */
  z.strictObject({ is: z.literal('connecting'), edges: z.number().int() }),
  /** Every edge has a beacon. */
  z.strictObject({ is: z.literal('connected') }),
  /** From now on it is noted when statements come. */
  z.strictObject({ is: z.literal('watching') }),
  /** Every edge has taken them: the moments, of `monotonicMs`. */
  z.strictObject({ is: z.literal('taken'), at: z.array(z.number()) }),
]);
export type CrowdAnswer = z.infer<typeof crowdAnswer>;
