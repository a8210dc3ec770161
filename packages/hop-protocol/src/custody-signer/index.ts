export * from './open-for-signer.js';
export { readSignerSeal, sealForSigner, type BoundTo } from './sealed-for-signer.js';
export * from './signer-api.js';
export * from './signer-key.js';
