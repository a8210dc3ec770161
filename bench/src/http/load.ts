import { z } from 'zod';

/** What the generator is to send, and as whom. */
export const loadSettings = z.object({
  port: z.number(),
  kind: z.enum(['get', 'presigned', 'upload', 'chunked-upload']),
  /** Connections that are kept; each has one request under way. */
  connections: z.number(),
  /** Different requests, signed ahead. */
  requests: z.number(),
  /** Bytes of a body, before it is framed. */
  bodyBytes: z.number(),
  region: z.string(),
  service: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  /** Whether it waits for answers without sleeping, which takes a core of its own. */
  spins: z.boolean(),
});
export type LoadSettings = z.infer<typeof loadSettings>;

/** What came of it. */
export const loadAnswered = z.object({
  requests: z.number(),
  seconds: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
});
export type LoadAnswered = z.infer<typeof loadAnswered>;

/** The generator's answer to each message: ready, or what a turn came to. */
export const loadMessage = z.union([z.literal('ready'), loadAnswered]);
