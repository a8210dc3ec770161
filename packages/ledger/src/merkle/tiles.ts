import { LedgerError } from '../ledger-error.js';
import type { MerkleHash } from './merkle-hash.js';
import { completeRoot, type SubtreeSource } from './subtree-source.js';
import { checkSize } from './tree-shape.js';

/**
 * C2SP tlog-tiles: tile `index` of level L holds up to 256 roots of complete subtrees of 2^(8 L) leaves each. With
 * tiles a proof reads O(log n) hashes instead of every leaf.
 */
export interface TileId {
  readonly level: number;
  readonly index: number;
}

export interface TileStore {
  /** The hashes of a tile, as many as were written; none for a tile that does not exist. */
  readTile(tile: TileId): Promise<readonly MerkleHash[]>;
  /** Replaces a tile. Tiles only ever grow: what was written before is the beginning of `hashes`. */
  writeTile(tile: TileId, hashes: readonly MerkleHash[]): Promise<void>;
}

const TILE_HEIGHT = 8;
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/** Answers subtree roots from tiles. */
export function subtreesFromTiles(store: Pick<TileStore, 'readTile'>): SubtreeSource {
  return {
    async subtreeRoot({ level, index }) {
      const height = level % TILE_HEIGHT;
      const width = 2 ** height;
      const first = index * width;
      const tile = { level: (level - height) / TILE_HEIGHT, index: Math.floor(first / TILE_WIDTH) };
      const begin = first % TILE_WIDTH;
      const hashes = (await store.readTile(tile)).slice(begin, begin + width);
      if (hashes.length !== width) {
        throw new LedgerError('range-outside-tree', `tile ${tile.level}/${tile.index} is too short`);
      }
      return completeRoot(hashes);
    },
  };
}

/**
 * Writes the tiles that a tree of `size` leaves changes by growing by `leaves`. Repeating it with the same arguments,
 * as after a crash in the middle, writes the same tiles again.
 */
export async function appendToTiles(store: TileStore, size: number, leaves: readonly MerkleHash[]): Promise<void> {
  checkSize(size + leaves.length);
  let level = 0;
  let first = size;
  let hashes = leaves;
  while (hashes.length > 0) {
    const completed = await appendToLevel(store, level, first, hashes);
    first = Math.floor(first / TILE_WIDTH);
    hashes = completed;
    level += 1;
  }
}

/** Appends to one level from position `first` on; returns the roots of the tiles that became full. */
async function appendToLevel(
  store: TileStore,
  level: number,
  first: number,
  hashes: readonly MerkleHash[],
): Promise<MerkleHash[]> {
  const completed: MerkleHash[] = [];
  let done = 0;
  while (done < hashes.length) {
    const index = Math.floor((first + done) / TILE_WIDTH);
    const filled = (first + done) % TILE_WIDTH;
    const before = filled === 0 ? [] : (await store.readTile({ level, index })).slice(0, filled);
    if (before.length !== filled) throw new LedgerError('range-outside-tree', `tile ${level}/${index} is too short`);
    const added = hashes.slice(done, done + TILE_WIDTH - filled);
    const tile = [...before, ...added];
    await store.writeTile({ level, index }, tile);
    if (tile.length === TILE_WIDTH) completed.push(completeRoot(tile));
    done += added.length;
  }
  return completed;
}
