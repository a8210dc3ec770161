import { LedgerError } from '../ledger-error.js';

/** Leaves `start` (included) to `end` (excluded). */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** The complete subtree over the 2^level leaves from `index` * 2^level on. */
export interface SubtreeId {
  readonly level: number;
  readonly index: number;
}

/** Throws LedgerError `malformed-size` for whatever is no size of a tree or index of a leaf. */
export function checkSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new LedgerError('malformed-size', String(size));
}

/** Throws LedgerError `range-outside-tree` unless 0 <= inner <= outer. */
export function checkWithin(inner: number, outer: number): void {
  checkSize(inner);
  checkSize(outer);
  if (inner > outer) throw new LedgerError('range-outside-tree', `${inner} of ${outer}`);
}

/** RFC 6962, section 2.1: the largest power of two smaller than `leaves`, which is at least 2. */
export function splitPoint(leaves: number): number {
  let half = 1;
  while (half * 2 < leaves) half *= 2;
  return half;
}

/** Throws LedgerError unless the tree has a leaf of this index. */
export function checkLeaf(index: number, size: number): void {
  checkSize(index);
  checkWithin(index + 1, size);
}

/**
 * The complete subtrees, from left to right, that a range falls into. Sizes outgrow 32 bits, which is why none of the
 * arithmetic on them uses the bit operators.
 */
export function subtreesOf({ start, end }: LeafRange): SubtreeId[] {
  const subtrees: SubtreeId[] = [];
  let at = start;
  while (at < end) {
    let level = 0;
    let width = 1;
    while (at % (width * 2) === 0 && at + width * 2 <= end) {
      width *= 2;
      level += 1;
    }
    subtrees.push({ level, index: at / width });
    at += width;
  }
  return subtrees;
}
