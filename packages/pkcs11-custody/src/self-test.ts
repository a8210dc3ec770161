import { createHmac, randomBytes } from 'node:crypto';
import { KEY_BLOCK_BYTES } from './key-block.js';
import { orGone, type Token } from './token.js';
import { TokenFailure } from './token-failure.js';
import type { TokenKeys } from './token-keys.js';
import { kDateOf, wrapSecret } from './wrapped-secret.js';

/**
 * Wraps a key that is nobody's, and uses it: whether the token can do all that a keeper asks of it.
 * @throws TokenFailure when it cannot, or makes another kDate than it should
 */
export function requireUsable(token: Token, keys: TokenKeys): void {
  const [boundTo, date] = [Buffer.from('self-test', 'utf8'), '20130524'];
  const block = randomBytes(KEY_BLOCK_BYTES);
  const made = orGone('the token does not wrap and unwrap', () =>
    kDateOf(token, keys, boundTo, wrapSecret(token, keys, boundTo, block), date),
  );
  if (made.equals(createHmac('sha256', block).update(date).digest())) return;
  throw new TokenFailure('keys-unsuitable', 'the token computes another kDate than it should: take another token');
}
