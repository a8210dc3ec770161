import { LedgerError } from '../ledger-error.js';
import { foldRoots } from './frontier.js';
import type { MerkleHash } from './merkle-hash.js';
import { subtreesOf, type LeafRange, type SubtreeId } from './tree-shape.js';

/** Where proofs get the hashes of a stored log from. */
export interface SubtreeSource {
  /** The root of a complete subtree; it is asked for only where the log has all of its leaves. */
  subtreeRoot(subtree: SubtreeId): Promise<MerkleHash>;
}

/** Reads the hashes of exactly the leaves of a range, in order. */
export type ReadLeafHashes = (range: LeafRange) => Promise<readonly MerkleHash[]>;

// 2^12 hashes are 128 KiB: what is held in memory at once stays small however large the subtree is.
const LEVELS_A_READ = 12;

/** Hashes subtrees anew from stored leaf hashes: O(leaves) a proof, which suits logs of up to some 100,000 leaves. */
export function subtreesFromLeaves(readLeafHashes: ReadLeafHashes): SubtreeSource {
  const source: SubtreeSource = {
    async subtreeRoot({ level, index }) {
      if (level > LEVELS_A_READ) {
        const left = await source.subtreeRoot({ level: level - 1, index: index * 2 });
        const right = await source.subtreeRoot({ level: level - 1, index: index * 2 + 1 });
        return rootOf([left, right]);
      }
      const width = 2 ** level;
      const leaves = await readLeafHashes({ start: index * width, end: (index + 1) * width });
      if (leaves.length !== width) {
        throw new LedgerError('range-outside-tree', `${leaves.length} leaf hashes read, ${width} asked for`);
      }
      return completeRoot(leaves);
    },
  };
  return source;
}

/** The root over a range of a stored log; the range has at least one leaf. */
export async function rangeRoot(source: SubtreeSource, range: LeafRange): Promise<MerkleHash> {
  const roots: MerkleHash[] = [];
  for (const subtree of subtreesOf(range)) roots.push(await source.subtreeRoot(subtree));
  return rootOf(roots);
}

/** The root over 2^n neighbouring subtrees of one size. */
export function completeRoot(hashes: readonly MerkleHash[]): MerkleHash {
  if (hashes.length <= 2) return rootOf(hashes);
  const half = hashes.length / 2;
  return rootOf([completeRoot(hashes.slice(0, half)), completeRoot(hashes.slice(half))]);
}

function rootOf(hashes: readonly MerkleHash[]): MerkleHash {
  const root = foldRoots(hashes);
  if (root === undefined) throw new LedgerError('range-outside-tree', 'no leaves');
  return root;
}
