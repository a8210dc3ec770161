export * from './app.js';
export * from './audit.js';
export * from './configuration.js';
export * from './start.js';
export { LIFETIMES as SIGNER_LIFETIMES } from './lifetimes.js';
