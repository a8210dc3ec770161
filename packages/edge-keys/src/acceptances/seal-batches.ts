import { MOST_ROLLUPS_A_BATCH, type RollupBatch } from '@sigv4-keyd/hop-protocol';
import type { TakenCounts } from './acceptance-counts.js';

/** Counts that change no more, in batches with an id of their own. */
export function sealBatches({ rollups, dropped }: TakenCounts, newId: () => string): readonly RollupBatch[] {
  const batches: RollupBatch[] = [];
  for (let from = 0; from < rollups.length; from += MOST_ROLLUPS_A_BATCH) {
    batches.push({ id: newId(), rollups: rollups.slice(from, from + MOST_ROLLUPS_A_BATCH), dropped: 0 });
  }
  if (dropped > 0) batches.push(droppedBatch(dropped, newId));
  return batches;
}

/** What is left of batches that could not be kept: how many roll-ups are missing. */
export function toldOfLost(lost: readonly RollupBatch[], unreadableFiles: number, newId: () => string): RollupBatch {
  const missing = lost.reduce((sum, { rollups, dropped }) => sum + rollups.length + dropped, unreadableFiles);
  return droppedBatch(Math.max(1, missing), newId);
}

function droppedBatch(dropped: number, newId: () => string): RollupBatch {
  return { id: newId(), rollups: [], dropped };
}
