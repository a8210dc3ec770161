import { z } from 'zod';
import { LedgerError } from '../ledger-error.js';
import { emptyRoot, formatMerkleHash, nodeHash, parseMerkleHash, type MerkleHash } from './merkle-hash.js';
import { checkSize, subtreesOf } from './tree-shape.js';

/**
 * The right edge of a growing tree: the roots of the complete subtrees that its leaves fall into, largest first. It is
 * all that appending and the root need, at most 53 hashes however large the log is.
 */
export class MerkleFrontier {
  #size: number;
  readonly #roots: MerkleHash[];

  /** A frontier over no leaves; `restore` gives one that goes on. */
  constructor();
  constructor(size: number, roots: readonly MerkleHash[]);
  constructor(size = 0, roots: readonly MerkleHash[] = []) {
    checkSize(size);
    if (roots.length !== subtreesOf({ start: 0, end: size }).length) {
      throw new LedgerError('malformed-frontier', `${roots.length} hashes for ${size} leaves`);
    }
    this.#size = size;
    this.#roots = [...roots];
  }

  /** The number of leaves. */
  get size(): number {
    return this.#size;
  }

  append(leaf: MerkleHash): void {
    checkSize(this.#size + 1);
    let root = leaf;
    // Each trailing one bit of the size is a complete subtree that the new leaf completes to one of twice its size.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#roots.pop();
      if (left === undefined) throw new LedgerError('malformed-frontier');
      root = nodeHash(left, root);
    }
    this.#roots.push(root);
    this.#size += 1;
  }

  /** The root of the tree over all leaves so far. */
  root(): MerkleHash {
    return foldRoots(this.#roots) ?? emptyRoot();
  }

  copy(): MerkleFrontier {
    return new MerkleFrontier(this.#size, this.#roots);
  }

  /** One line of JSON: `{"size":N,"roots":[base64...]}` */
  serialise(): string {
    return JSON.stringify({ size: this.#size, roots: this.#roots.map(formatMerkleHash) });
  }

  /** Throws LedgerError `malformed-frontier` for whatever `serialise` did not write. */
  static restore(text: string): MerkleFrontier {
    const stored = serialised.safeParse(text);
    if (!stored.success) throw new LedgerError('malformed-frontier', 'not the stored form', { cause: stored.error });
    const roots = stored.data.roots.map((root) => {
      const hash = parseMerkleHash(root);
      if (hash === undefined) throw new LedgerError('malformed-frontier', 'a hash');
      return hash;
    });
    return new MerkleFrontier(stored.data.size, roots);
  }
}

/** The root over neighbouring subtrees: the rightmost two are joined first, for they are the smallest. */
export function foldRoots(roots: readonly MerkleHash[]): MerkleHash | undefined {
  return roots.reduceRight<MerkleHash | undefined>(
    (right, left) => (right === undefined ? left : nodeHash(left, right)),
    undefined,
  );
}

const stored = z.strictObject({ size: z.int().nonnegative(), roots: z.array(z.string()).max(53) });
const serialised = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('not JSON');
      return z.NEVER;
    }
  })
  .pipe(stored);
