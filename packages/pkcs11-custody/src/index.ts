export * from './constants.js';
export * from './cryptoki.js';
export * from './key-block.js';
export * from './self-test.js';
export * from './token.js';
export * from './token-failure.js';
export * from './token-keys.js';
export * from './wrapped-secret.js';
