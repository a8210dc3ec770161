import type { Mechanism } from './cryptoki.js';
import { CK } from './constants.js';
import type { Token } from './token.js';

export const HMAC: Mechanism = { mechanism: CK.CKM_SHA256_HMAC };
export const HMAC_BYTES = 32;

/** HMAC-SHA256 under a key of the token, made inside it. */
export function tokenHmac({ cryptoki, session }: Token, key: Buffer, message: Buffer): Buffer {
  cryptoki.C_SignInit(session, HMAC, key);
  return cryptoki.C_Sign(session, message, Buffer.alloc(HMAC_BYTES));
}
