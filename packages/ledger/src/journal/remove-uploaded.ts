import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './durable-files.js';
import type { Segment } from './segment.js';

/** The segments of which every record was uploaded; never the last one, for it is written to. */
export function uploadedSegments(segments: readonly Segment[], uploadedSeq: number): readonly Segment[] {
  return segments.filter((_, index) => {
    const next = segments[index + 1];
    return next !== undefined && next.before.seq <= uploadedSeq;
  });
}

/** Removes segments durably; doing it again after a crash in between does no harm. */
export async function removeSegments(folder: string, segments: readonly Segment[]): Promise<void> {
  if (segments.length === 0) return;
  // The oldest first: a crash leaves no gap between those that remain.
  for (const { file } of segments) await rm(join(folder, file), { force: true });
  await syncFolder(folder);
}
