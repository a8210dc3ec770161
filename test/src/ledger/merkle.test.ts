import {
  appendToTiles,
  emptyRoot,
  leafHash,
  LedgerError,
  merkleHashOf,
  MerkleFrontier,
  proveConsistency,
  proveInclusion,
  subtreesFromLeaves,
  subtreesFromTiles,
  verifyConsistency,
  verifyInclusion,
  type MerkleHash,
  type SubtreeSource,
} from '@sigv4-keyd/ledger';
import fc from 'fast-check';
import t from 'tap';
import { CONSISTENCIES, INCLUSIONS, LEAF_HASHES, LEAVES, ROOTS } from './known-tree.js';
import { MemoryTiles, naiveRoot, someLeafHashes } from './naive-tree.js';
import { laterRefusalOf, refusalOf } from './refusal.js';

const LARGEST = 600;
const leaves = someLeafHashes(LARGEST);
const roots = rootsOf(leaves);
const fromLeaves = sourceOf(leaves);

t.test('roots of the known tree', (t) => {
  t.same(hex(emptyRoot()), hex(ROOTS[0]!));
  const frontier = new MerkleFrontier();
  LEAVES.forEach((leaf, index) => {
    t.equal(hex(frontier.root()), hex(ROOTS[index]!), `${index} leaves`);
    frontier.append(leafHash(leaf));
  });
  t.equal(hex(frontier.root()), hex(ROOTS[8]!));
  t.end();
});

t.test('proofs of the known tree are made and verified', async (t) => {
  const source = sourceOf(LEAF_HASHES);
  for (const [index, size, proof] of INCLUSIONS) {
    t.same((await proveInclusion(source, index, size)).map(hex), proof.map(hex), `leaf ${index} of ${size}`);
    verifyInclusion({ index, size, leafHash: LEAF_HASHES[index]!, root: ROOTS[size]! }, proof);
  }
  for (const [older, newer, proof] of CONSISTENCIES) {
    t.same((await proveConsistency(source, older, newer)).map(hex), proof.map(hex), `${older} to ${newer}`);
    verifyConsistency({ size: older, root: ROOTS[older]! }, { size: newer, root: ROOTS[newer]! }, proof);
  }
});

t.test('the root equals the recursive definition, over a restart too', (t) => {
  const frontier = new MerkleFrontier();
  let restored = new MerkleFrontier();
  for (const [index, leaf] of leaves.entries()) {
    frontier.append(leaf);
    restored = MerkleFrontier.restore(restored.serialise());
    restored.append(leaf);
    const expected = hex(roots[index + 1]!);
    if (hex(frontier.root()) !== expected || hex(restored.root()) !== expected) t.fail(`root over ${index + 1} leaves`);
  }
  t.equal(frontier.size, LARGEST);
  t.equal(restored.serialise(), frontier.serialise());
  const copy = frontier.copy();
  copy.append(leaves[0]!);
  t.equal(frontier.size, LARGEST, 'a copy grows by itself');
  t.end();
});

t.test('frontiers larger than 32 bits', (t) => {
  const size = 2 ** 40 - 1;
  const frontier = new MerkleFrontier(size, someLeafHashes(40));
  frontier.append(leaves[0]!);
  t.equal(frontier.serialise().match(/=/g)?.length, 1, 'forty subtrees became one');
  t.equal(frontier.size, 2 ** 40);
  t.end();
});

t.test('a damaged frontier is refused', (t) => {
  const good = new MerkleFrontier(3, someLeafHashes(2)).serialise();
  for (const bad of [
    '',
    '{',
    'null',
    '[]',
    good.slice(0, -2),
    good.replace('"size":3', '"size":4'),
    good.replace('"size":3', '"size":-3'),
    good.replace('"size":3', '"size":3.5'),
    good.replace('"size":3', '"size":"3"'),
    good.replace('=', ''),
    good.replace('}', ',"more":1}'),
  ]) {
    t.equal(
      refusalOf(() => MerkleFrontier.restore(bad)),
      'malformed-frontier',
      bad,
    );
  }
  t.end();
});

t.test('every proof verifies; every other size, leaf, root and byte is refused', async (t) => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: LARGEST }),
    fc.nat(),
    fc.nat(),
    fc.nat(),
    async (size, anyIndex, anyOlder, anyByte) => {
      const index = anyIndex % size;
      const inclusion = await proveInclusion(fromLeaves, index, size);
      const claim = { index, size, leafHash: leaves[index]!, root: roots[size]! };
      verifyInclusion(claim, inclusion);
      for (const bad of spoiled(inclusion, anyByte)) mustRefuse(() => verifyInclusion(claim, bad));
      mustRefuse(() => verifyInclusion({ ...claim, leafHash: flip(claim.leafHash, anyByte) }, inclusion));
      mustRefuse(() => verifyInclusion({ ...claim, root: flip(claim.root, anyByte) }, inclusion));
      mustRefuse(() => verifyInclusion({ ...claim, index: size }, inclusion));
      mustRefuse(() => verifyInclusion({ ...claim, size: size * 2 }, inclusion));
      mustRefuse(() => verifyInclusion({ ...claim, size: Math.floor(size / 2) }, inclusion));
      for (const other of [index - 1, index + 1].filter((i) => i !== index)) {
        mustRefuse(() => verifyInclusion({ ...claim, index: other }, inclusion));
      }

      const olderSize = 1 + (anyOlder % size);
      const consistency = await proveConsistency(fromLeaves, olderSize, size);
      const older = { size: olderSize, root: roots[olderSize]! };
      const newer = { size, root: roots[size]! };
      verifyConsistency(older, newer, consistency);
      for (const bad of spoiled(consistency, anyByte)) mustRefuse(() => verifyConsistency(older, newer, bad));
      mustRefuse(() => verifyConsistency({ ...older, root: flip(older.root, anyByte) }, newer, consistency));
      mustRefuse(() => verifyConsistency(older, { ...newer, root: flip(newer.root, anyByte) }, consistency));
      mustRefuse(() => verifyConsistency({ ...older, size: olderSize - 1 }, newer, consistency));
      mustRefuse(() => verifyConsistency({ ...older, size: size + 1 }, newer, consistency));
      if (olderSize < size) {
        mustRefuse(() => verifyConsistency(newer, older, consistency));
        mustRefuse(() => verifyConsistency(older, { ...newer, size: size * 2 }, consistency));
        mustRefuse(() => verifyConsistency({ ...older, size: olderSize + 1 }, newer, consistency));
      }
    },
  );
  await t.resolves(fc.assert(property, { numRuns: 150 }));
});

t.test('every pair of sizes up to 40', async (t) => {
  let pairs = 0;
  for (let newer = 0; newer <= 40; newer += 1) {
    for (let older = 0; older <= newer; older += 1) {
      const proof = await proveConsistency(fromLeaves, older, newer);
      verifyConsistency({ size: older, root: roots[older]! }, { size: newer, root: roots[newer]! }, proof);
      pairs += 1;
    }
  }
  t.equal(pairs, 861);
});

t.test('a rewritten log has no consistency proof', async (t) => {
  const property = fc.asyncProperty(
    fc.integer({ min: 2, max: 200 }),
    fc.nat(),
    fc.nat(),
    async (size, anyOlder, anyRewritten) => {
      const olderSize = 1 + (anyOlder % (size - 1));
      const rewritten = leaves.slice(0, size).with(anyRewritten % olderSize, someLeafHashes(1, 7)[0]!);
      const proof = await proveConsistency(sourceOf(rewritten), olderSize, size);
      const older = { size: olderSize, root: roots[olderSize]! };
      mustRefuse(() => verifyConsistency(older, { size, root: naiveRoot(rewritten) }, proof));
    },
  );
  await t.resolves(fc.assert(property, { numRuns: 100 }));
});

t.test('malformed claims, by code', (t) => {
  const [root, other] = someLeafHashes(2) as [MerkleHash, MerkleHash];
  const head = (size: number, of = root): { size: number; root: MerkleHash } => ({ size, root: of });
  const empty = head(0, emptyRoot());
  const table: readonly (readonly [string, string, () => void])[] = [
    ['no leaf', 'range-outside-tree', () => verifyInclusion({ index: 0, size: 0, leafHash: root, root }, [])],
    ['beyond', 'range-outside-tree', () => verifyInclusion({ index: 2, size: 2, leafHash: root, root }, [root])],
    ['negative', 'malformed-size', () => verifyInclusion({ index: -1, size: 1, leafHash: root, root }, [])],
    ['negative size', 'malformed-size', () => verifyInclusion({ index: 0, size: -1, leafHash: root, root }, [])],
    ['fraction', 'malformed-size', () => verifyInclusion({ index: 0.5, size: 2, leafHash: root, root }, [root])],
    ['NaN', 'malformed-size', () => verifyInclusion({ index: 0, size: NaN, leafHash: root, root }, [])],
    ['2^53', 'malformed-size', () => verifyInclusion({ index: 0, size: 2 ** 53, leafHash: root, root }, [])],
    ['too long', 'proof-length', () => verifyInclusion({ index: 0, size: 1, leafHash: root, root }, [root])],
    ['too short', 'proof-length', () => verifyInclusion({ index: 0, size: 2, leafHash: root, root }, [])],
    ['backwards', 'range-outside-tree', () => verifyConsistency(head(2), head(1), [])],
    ['same size, other root', 'wrong-older-root', () => verifyConsistency(head(5, other), head(5), [])],
    ['same size, with a proof', 'proof-length', () => verifyConsistency(head(5), head(5), [root])],
    ['from nothing, with a proof', 'proof-length', () => verifyConsistency(empty, head(5), [root])],
    ['nothing has one root', 'wrong-older-root', () => verifyConsistency(head(0, other), head(5), [])],
    ['nothing to nothing', 'wrong-root', () => verifyConsistency(empty, head(0, other), [])],
    ['no proof', 'proof-length', () => verifyConsistency(head(3), head(5), [])],
    ['no proof, power of two', 'proof-length', () => verifyConsistency(head(4), head(5), [])],
    ['31 bytes', 'malformed-hash', () => merkleHashOf(Buffer.alloc(31))],
    ['33 bytes', 'malformed-hash', () => merkleHashOf(Buffer.alloc(33))],
    ['from nothing', 'accepted', () => verifyConsistency(empty, head(5), [])],
    ['nothing', 'accepted', () => verifyConsistency(empty, empty, [])],
  ];
  for (const [what, code, task] of table) t.equal(refusalOf(task), code, what);
  t.end();
});

t.test('proofs from tiles', async (t) => {
  const many = someLeafHashes(66_000);
  const tiles = new MemoryTiles();
  const frontier = new MerkleFrontier();
  const heads = new Map<number, MerkleHash>();
  for (const step of [1, 254, 1, 1, 255, 88, 3000, 61_936, 1, 463]) {
    const { size } = frontier;
    const added = many.slice(size, size + step);
    await appendToTiles(tiles, size, added);
    added.forEach((leaf) => frontier.append(leaf));
    heads.set(frontier.size, frontier.root());
  }
  t.equal(tiles.tiles.get('2/0')?.length, 1, 'three levels');
  const source = subtreesFromTiles(tiles);
  const [size, root] = [frontier.size, frontier.root()];
  for (const index of [0, 255, 256, 65_535, 65_536, size - 1]) {
    verifyInclusion({ index, size, root, leafHash: many[index]! }, await proveInclusion(source, index, size));
  }
  for (const [older, olderRoot] of heads) {
    verifyConsistency({ size: older, root: olderRoot }, { size, root }, await proveConsistency(source, older, size));
  }
  t.ok(heads.has(65_536) && heads.has(65_537), 'around a full tile of the second level');

  const before = new Map(tiles.tiles);
  await appendToTiles(tiles, 65_537, many.slice(65_537, size));
  t.same(tiles.tiles, before, 'a step repeated after a crash writes the same tiles');
  t.equal(await laterRefusalOf(() => proveInclusion(source, 0, size + 1)), 'range-outside-tree');
  t.equal(await laterRefusalOf(() => proveInclusion(fromLeaves, 0, LARGEST + 1)), 'range-outside-tree');
  t.equal(await laterRefusalOf(() => appendToTiles(tiles, size + 1, many.slice(0, 1))), 'range-outside-tree');
});

function sourceOf(hashes: readonly MerkleHash[]): SubtreeSource {
  return subtreesFromLeaves(({ start, end }) => Promise.resolve(hashes.slice(start, end)));
}

function rootsOf(hashes: readonly MerkleHash[]): MerkleHash[] {
  return Array.from({ length: hashes.length + 1 }, (_, size) => naiveRoot(hashes.slice(0, size)));
}

/** A proof with a byte changed, a hash taken away, doubled, swapped or added. */
function spoiled(proof: readonly MerkleHash[], anyByte: number): (readonly MerkleHash[])[] {
  const extra = leaves[0]!;
  const at = anyByte % Math.max(proof.length, 1);
  const changed = proof.map((hash, index) => proof.with(index, flip(hash, anyByte)));
  const taken = proof.length === 0 ? [] : [proof.toSpliced(at, 1), proof.toSpliced(at, 0, proof[at]!)];
  return [...changed, ...taken, [...proof, extra], [extra, ...proof]];
}

function flip(hash: MerkleHash, anyByte: number): MerkleHash {
  const copy = Buffer.from(hash);
  copy[anyByte % 32]! ^= 1 << (anyByte % 8);
  return merkleHashOf(copy);
}

function mustRefuse(task: () => void): void {
  try {
    task();
  } catch (error) {
    if (error instanceof LedgerError) return;
    throw error;
  }
  throw new Error('accepted');
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}
