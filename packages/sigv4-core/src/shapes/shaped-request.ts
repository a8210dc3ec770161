import { hash } from 'node:crypto';
import type { Mechanism } from '../canonical-query.js';
import type { SignableRequest } from '../canonical-request.js';
import { readHeaders } from '../header-table.js';
import type { HeaderTable } from '../header-table.js';
import type { PathRule } from '../path-rule.js';
import { parseQueryParameters } from '../query-parameters.js';
import type { QueryParameter } from '../query-parameters.js';
import { isRefused } from '../refusal.js';
import type { Refused } from '../refusal.js';

interface ShapedParts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly pathRule: PathRule;
  readonly mechanism: Mechanism;
  readonly rawHeaders: readonly string[];
  readonly signedHeaders: readonly string[];
  /** The canonical request without its last line. */
  readonly canonicalHead: string;
  /** The string to sign without its last line. */
  readonly stringToSignHead: string;
}

/** A request of a known shape. All that its signature covers is ASCII; what few callers ask for is read when asked. */
export class ShapedRequest implements SignableRequest {
  readonly method: string;
  readonly path: string;
  readonly pathRule: PathRule;
  readonly mechanism: Mechanism;
  readonly signedHeaders: readonly string[];
  readonly #query: string;
  readonly #rawHeaders: readonly string[];
  readonly #canonicalHead: string;
  readonly #stringToSignHead: string;

  constructor(parts: ShapedParts) {
    this.method = parts.method;
    this.path = parts.path;
    this.pathRule = parts.pathRule;
    this.mechanism = parts.mechanism;
    this.signedHeaders = parts.signedHeaders;
    this.#query = parts.query;
    // A copy: what is read of the request later must be what was examined.
    this.#rawHeaders = parts.rawHeaders.slice();
    this.#canonicalHead = parts.canonicalHead;
    this.#stringToSignHead = parts.stringToSignHead;
  }

  get headers(): HeaderTable {
    return wellFormed(readHeaders(this.#rawHeaders));
  }

  get parameters(): readonly QueryParameter[] {
    return wellFormed(parseQueryParameters(this.#query)).all;
  }

  /** Steps 1 to 3 of the specification. */
  stringToSign(payloadHash: string): string {
    // One-shot hashing takes strings as UTF-8, which ASCII is.
    return this.#stringToSignHead + hash('sha256', this.#canonicalHead + payloadHash);
  }
}

function wellFormed<Part extends object>(part: Part | Refused): Part {
  if (isRefused(part)) throw new TypeError(`a request of a known shape is not well formed: ${part.reason}`);
  return part;
}
