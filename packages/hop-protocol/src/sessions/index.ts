export * from './session-api.js';
export { signSessionToken, verifySessionToken, type Session } from './session-token.js';
export { SessionTokens, type SessionFinding, type SessionTokensOptions } from './session-tokens.js';
