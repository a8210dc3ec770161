export * from './app.js';
export * from './configuration.js';
export * from './custody/custody.js';
export * from './custody/file-custody.js';
export * from './database/migrate.js';
export * from './database/pool.js';
export * from './key-source.js';
export * from './start.js';
export { LIFETIMES as MASTER_LIFETIMES } from './lifetimes.js';
