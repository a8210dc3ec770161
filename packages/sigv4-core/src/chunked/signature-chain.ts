import type { KSigning } from '../key-ladder.js';
import { signatureMatches, signatureOf } from '../signature.js';
import { chunkStringToSign, trailerStringToSign } from './chunk-string-to-sign.js';
import type { ChunkScope } from './chunk-string-to-sign.js';

/** What the next signature is of. */
export type ChainLink =
  { readonly kind: 'chunk'; readonly sha256: string } | { readonly kind: 'trailers'; readonly canonical: string };

/**
 * The signatures of one body. Each covers the one before it, from the request's own (the seed) on: no chunk can be left
 * out, moved, repeated, or taken from another request.
 */
export class SignatureChain {
  readonly #key: KSigning;
  readonly #scope: ChunkScope;
  #previous: string;

  constructor(key: KSigning, scope: ChunkScope, seed: string) {
    this.#key = key;
    this.#scope = scope;
    this.#previous = seed;
  }

  /** Whether the next signature is the one presented; compared in constant time. */
  accepts(link: ChainLink, presented: string): boolean {
    if (!signatureMatches(this.#key, this.#stringToSign(link), presented)) return false;
    this.#previous = presented;
    return true;
  }

  /** Makes the next signature. */
  sign(link: ChainLink): string {
    this.#previous = signatureOf(this.#key, this.#stringToSign(link));
    return this.#previous;
  }

  #stringToSign(link: ChainLink): string {
    return link.kind === 'chunk'
      ? chunkStringToSign(this.#scope, this.#previous, link.sha256)
      : trailerStringToSign(this.#scope, this.#previous, link.canonical);
  }
}
