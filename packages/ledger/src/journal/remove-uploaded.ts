import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './durable-files.js';
import type { Segment } from './segment.js';

/**
 * Removes the segments of which every record was uploaded, never the last one, for it is written to. Returns those that
 * are left. Removing them again after a crash in between does no harm.
 */
export async function removeUploaded(
  folder: string,
  segments: readonly Segment[],
  uploadedSeq: number,
): Promise<readonly Segment[]> {
  const kept = segments.filter((_, index) => {
    const next = segments[index + 1];
    return next === undefined || next.before.seq > uploadedSeq;
  });
  // The oldest first: a crash leaves no gap between those that remain.
  for (const segment of segments) if (!kept.includes(segment)) await rm(join(folder, segment.file), { force: true });
  if (kept.length < segments.length) await syncFolder(folder);
  return kept;
}
