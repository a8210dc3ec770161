import { HASH_BYTES, merkleHashOf, type MerkleHash, type TileStore } from '@sigv4-keyd/ledger';
import type { Transaction } from '../database/transaction.js';

/** The tiles of the log as rows. */
export function tileTable(transaction: Transaction): TileStore {
  return {
    async readTile({ level, index }) {
      const { rows } = await transaction.query<{ readonly hashes: Buffer }>(
        'SELECT hashes FROM ledger_tile WHERE level = $1 AND place = $2',
        [level, index],
      );
      return rows[0] ? splitHashes(rows[0].hashes) : [];
    },
    async writeTile({ level, index }, hashes) {
      await transaction.query(
        `INSERT INTO ledger_tile (level, place, hashes) VALUES ($1, $2, $3)
         ON CONFLICT (level, place) DO UPDATE SET hashes = excluded.hashes`,
        [level, index, Buffer.concat(hashes)],
      );
    },
  };
}

function splitHashes(bytes: Buffer): MerkleHash[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, place) =>
    merkleHashOf(bytes.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES)),
  );
}
