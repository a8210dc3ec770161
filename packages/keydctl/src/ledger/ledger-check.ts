import type { LedgerLeaf } from '@sigv4-keyd/hop-protocol';
import { formatMerkleHash, leafHash, MerkleFrontier, sameHash, type Checkpoint } from '@sigv4-keyd/ledger';
import { differenceOf, inOtherPlaces, type ChangedLeaf, type Difference } from './difference.js';

/** A checkpoint that the downloaded log must lead to, by the name under which differences are told. */
export interface ExpectedTree {
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

/**
 * Recomputes the log from its records alone. Whether they lead to the signed roots is what decides; the hashes that
 * the master keeps only help to name what was changed.
 */
export async function checkLedger(
  leaves: AsyncIterable<LedgerLeaf>,
  expected: readonly ExpectedTree[],
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  const changed: ChangedLeaf[] = [];
  const frontier = new MerkleFrontier();
  const compare = (): void => {
    for (const { name, checkpoint } of expected) {
      if (checkpoint.size !== frontier.size || sameHash(frontier.root(), checkpoint.root)) continue;
      differences.push({ what: `the records do not lead to the root of ${name} (${checkpoint.size} leaves)` });
    }
  };
  compare();
  for await (const leaf of leaves) {
    if (leaf.leaf !== frontier.size) {
      differences.push({ leaf: frontier.size, what: `the master answered leaf ${leaf.leaf} in its place` });
      break;
    }
    const own = leafHash(Buffer.from(leaf.record ?? ''));
    if (leaf.record === null || leaf.hash !== formatMerkleHash(own)) changed.push({ leaf, own: formatMerkleHash(own) });
    frontier.append(own);
    compare();
  }
  for (const { name, checkpoint } of expected) {
    if (checkpoint.size <= frontier.size) continue;
    differences.push({ what: `the log ends after ${frontier.size} leaves, and ${name} is of ${checkpoint.size}` });
  }
  const places = inOtherPlaces(changed);
  return [...changed.map((leaf) => differenceOf(leaf, places)), ...differences];
}
