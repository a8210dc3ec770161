export { cacheSecretOf, type CacheSecret } from './cache-secret.js';
export * from './key-cache.js';
export type { KeysInMemory } from './keys-in-memory.js';
export * from './kept-keys.js';
