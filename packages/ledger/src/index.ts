export * from './ledger-error.js';
export * from './merkle/consistency.js';
export { MerkleFrontier } from './merkle/frontier.js';
export * from './merkle/inclusion.js';
export * from './merkle/merkle-hash.js';
export { subtreesFromLeaves, type ReadLeafHashes, type SubtreeSource } from './merkle/subtree-source.js';
export * from './merkle/tiles.js';
export type { LeafRange, SubtreeId } from './merkle/tree-shape.js';
