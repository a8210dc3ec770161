import type { Refused } from '@sigv4-keyd/sigv4-core';

/** A body, a part of which may have gone on already, turned out not to be the one that was signed. */
export class PayloadRefused extends Error {
  override readonly name = 'PayloadRefused';
  readonly refused: Refused;

  constructor(refused: Refused) {
    super(`the body is refused: ${refused.reason}`);
    this.refused = refused;
  }
}
