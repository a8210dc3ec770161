export type { Body } from './body.js';
export { credentialsFromEnvironment } from './credentials.js';
export type { CredentialSource } from './credentials.js';
export type { NodeRequestOptions, SentHead } from './node-request.js';
export type { HeaderPair } from './message-headers.js';
export { createSigner, Signer } from './signer.js';
export type { PresignOptions, PresignPostOptions, SignerOptions, SignOptions } from './signer.js';
export { SIGNING_ERRORS, SigningError } from './signing-error.js';
export type { SigningErrorCode } from './signing-error.js';
