export { HeldKeys, mostBytesAKey, type HeldKey, type HeldKeysOptions } from './held-keys.js';
export { keysADay, keyMemoryProblem, memoryFor, type KeyMemory } from './key-memory.js';
export { type HashSeed } from './keyed-hash.js';
export { UsedAccessKeys } from './used-access-keys.js';
