import { TILE_WIDTH, type MerkleHash } from '@sigv4-keyd/ledger';
import type { Transaction } from '../database/transaction.js';
import { tileTable } from './tile-table.js';

/** Reads leaf hashes as the log has them, a tile at a time; undefined for one that the log has lost. */
export function leafHashReader(transaction: Transaction): (leaf: number) => Promise<MerkleHash | undefined> {
  const tiles = tileTable(transaction);
  let read: { readonly index: number; readonly hashes: readonly MerkleHash[] } | undefined;
  return async (leaf) => {
    const index = Math.floor(leaf / TILE_WIDTH);
    if (read?.index !== index) read = { index, hashes: await tiles.readTile({ level: 0, index }) };
    return read.hashes[leaf % TILE_WIDTH];
  };
}
