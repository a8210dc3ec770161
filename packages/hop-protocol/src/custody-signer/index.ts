export * from './sealed-for-signer.js';
export * from './signer-api.js';
export * from './signer-key.js';
