export { fastifySigv4 } from './fastify-sigv4.js';
export { sigv4Handler } from './node-handler.js';
export type { Sigv4Handler, VerifiedRequest } from './node-handler.js';
export type { Sigv4Options } from './options.js';
export { staticSecrets } from './static-secrets.js';
export { Verifier } from './verifier.js';
export type { Outcome } from './verifier.js';
