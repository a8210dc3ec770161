import { z } from 'zod';
import { CacheFileError } from './cache-problem.js';

const head = z.strictObject({
  /** Epoch milliseconds. */
  at: z.number().int().nonnegative(),
  feed: z.strictObject({ version: z.number().int().positive(), setHash: z.string() }).readonly(),
});
/** The first block of a segment: when it was written, and under which state of the feed. */
export type SegmentHead = Readonly<z.infer<typeof head>>;

export function writeHead(content: SegmentHead): Buffer {
  return Buffer.from(JSON.stringify(content), 'utf8');
}

/** @throws CacheFileError */
export function readHead(bytes: Buffer): SegmentHead {
  const parsed = head.safeParse(jsonOf(bytes));
  // It was authentic, so we wrote it, in a form that this version does not know.
  if (!parsed.success) throw new CacheFileError('other-form');
  return parsed.data;
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
