export * from './custody-key-id.js';
export * from './recovery-key.js';
export * from './wrapped-custody-key.js';
