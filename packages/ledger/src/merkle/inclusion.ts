import { LedgerError } from '../ledger-error.js';
import { nodeHash, sameHash, type MerkleHash } from './merkle-hash.js';
import { rangeRoot, type SubtreeSource } from './subtree-source.js';
import { checkLeaf, splitPoint, type LeafRange } from './tree-shape.js';

/** That a leaf stands at an index of the tree of a size and root. */
export interface InclusionClaim {
  readonly index: number;
  readonly leafHash: MerkleHash;
  readonly size: number;
  readonly root: MerkleHash;
}

/** RFC 6962, section 2.1.1: PATH(index, D[size]), from the leaf upwards. */
export async function proveInclusion(source: SubtreeSource, index: number, size: number): Promise<MerkleHash[]> {
  checkLeaf(index, size);
  const siblings: LeafRange[] = [];
  let tree: LeafRange = { start: 0, end: size };
  while (tree.end - tree.start > 1) {
    const middle = tree.start + splitPoint(tree.end - tree.start);
    const left = { start: tree.start, end: middle };
    const right = { start: middle, end: tree.end };
    siblings.push(index < middle ? right : left);
    tree = index < middle ? left : right;
  }
  const proof: MerkleHash[] = [];
  for (const sibling of siblings.reverse()) proof.push(await rangeRoot(source, sibling));
  return proof;
}

/** RFC 9162, section 2.1.3.2. Returns when the proof holds; throws LedgerError whenever it does not. */
export function verifyInclusion(claim: InclusionClaim, proof: readonly MerkleHash[]): void {
  checkLeaf(claim.index, claim.size);
  let index = claim.index;
  let last = claim.size - 1;
  let root = claim.leafHash;
  for (const sibling of proof) {
    if (last === 0) throw new LedgerError('proof-length', 'too many hashes');
    if (index % 2 === 1 || index === last) {
      root = nodeHash(sibling, root);
      // The last node of a level without a sibling rises until it has one on its left.
      while (index % 2 === 0 && index !== 0) {
        index /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = nodeHash(root, sibling);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new LedgerError('proof-length', 'too few hashes');
  if (!sameHash(root, claim.root)) throw new LedgerError('wrong-root');
}
