import { createHash } from 'node:crypto';
import { merkleHashOf, type MerkleHash, type TileId, type TileStore } from '@sigv4-keyd/ledger';

/** MTH(D[n]) as RFC 6962, section 2.1, writes it down, over leaf hashes. Apart from the code under test on purpose. */
export function naiveRoot(leafHashes: readonly Uint8Array[]): MerkleHash {
  const [only] = leafHashes;
  if (only === undefined) return merkleHashOf(createHash('sha256').digest());
  if (leafHashes.length === 1) return merkleHashOf(only);
  const k = 2 ** Math.floor(Math.log2(leafHashes.length - 1));
  const [left, right] = [naiveRoot(leafHashes.slice(0, k)), naiveRoot(leafHashes.slice(k))];
  return merkleHashOf(createHash('sha256').update('\u0001').update(left).update(right).digest());
}

/** `count` leaf hashes that are different from each other and from those of another seed. */
export function someLeafHashes(count: number, seed = 0): MerkleHash[] {
  return Array.from({ length: count }, (_, index) =>
    merkleHashOf(createHash('sha256').update(`\u0000${seed} ${index}`).digest()),
  );
}

/** Tiles in memory, which refuse to take back what they once said. */
export class MemoryTiles implements TileStore {
  readonly tiles = new Map<string, readonly MerkleHash[]>();

  readTile({ level, index }: TileId): Promise<readonly MerkleHash[]> {
    return Promise.resolve(this.tiles.get(`${level}/${index}`) ?? []);
  }

  async writeTile(tile: TileId, hashes: readonly MerkleHash[]): Promise<void> {
    const before = await this.readTile(tile);
    before.slice(0, hashes.length).forEach((hash, index) => {
      if (Buffer.compare(hash, hashes[index]!) !== 0) throw new Error(`tile ${tile.level}/${tile.index} was rewritten`);
    });
    this.tiles.set(`${tile.level}/${tile.index}`, hashes);
  }
}
