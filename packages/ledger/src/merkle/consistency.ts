import { LedgerError } from '../ledger-error.js';
import { emptyRoot, nodeHash, sameHash, type MerkleHash } from './merkle-hash.js';
import { rangeRoot, type SubtreeSource } from './subtree-source.js';
import { checkWithin, splitPoint, type LeafRange } from './tree-shape.js';

/** The size and root of a tree. */
export interface TreeHead {
  readonly size: number;
  readonly root: MerkleHash;
}

/** RFC 6962, section 2.1.2: PROOF(older, D[newer]). Empty when one of the sizes is 0 or both are the same. */
export async function proveConsistency(source: SubtreeSource, older: number, newer: number): Promise<MerkleHash[]> {
  checkWithin(older, newer);
  if (older === 0 || older === newer) return [];
  const ranges: LeafRange[] = [];
  let tree: LeafRange = { start: 0, end: newer };
  while (tree.end !== older) {
    const middle = tree.start + splitPoint(tree.end - tree.start);
    const left = { start: tree.start, end: middle };
    const right = { start: middle, end: tree.end };
    ranges.push(older <= middle ? right : left);
    tree = older <= middle ? left : right;
  }
  // SUBPROOF(m, D[m], true) is empty: the verifier has the older root already.
  if (tree.start !== 0) ranges.push(tree);
  const proof: MerkleHash[] = [];
  for (const range of ranges.reverse()) proof.push(await rangeRoot(source, range));
  return proof;
}

/** RFC 9162, section 2.1.4.2. Returns when `newer` only adds to `older`; throws LedgerError whenever it does not. */
export function verifyConsistency(older: TreeHead, newer: TreeHead, proof: readonly MerkleHash[]): void {
  checkWithin(older.size, newer.size);
  if (older.size === newer.size || older.size === 0) {
    if (proof.length > 0) throw new LedgerError('proof-length', 'too many hashes');
    // A tree without leaves has but one root, whoever claims another one.
    const expected = older.size === 0 ? emptyRoot() : newer.root;
    if (!sameHash(older.root, expected)) throw new LedgerError('wrong-older-root');
    if (newer.size === 0 && !sameHash(newer.root, expected)) throw new LedgerError('wrong-root');
    return;
  }
  let index = older.size - 1;
  let last = newer.size - 1;
  while (index % 2 === 1) {
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  // An older tree that is one complete subtree begins the path with its own root, which the proof leaves out.
  const [first, ...path] = index === 0 ? [older.root, ...proof] : proof;
  if (first === undefined) throw new LedgerError('proof-length', 'too few hashes');
  let olderRoot = first;
  let newerRoot = first;
  for (const sibling of path) {
    if (last === 0) throw new LedgerError('proof-length', 'too many hashes');
    if (index % 2 === 1 || index === last) {
      olderRoot = nodeHash(sibling, olderRoot);
      newerRoot = nodeHash(sibling, newerRoot);
      while (index % 2 === 0 && index !== 0) {
        index /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      newerRoot = nodeHash(newerRoot, sibling);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new LedgerError('proof-length', 'too few hashes');
  if (!sameHash(olderRoot, older.root)) throw new LedgerError('wrong-older-root');
  if (!sameHash(newerRoot, newer.root)) throw new LedgerError('wrong-root');
}
