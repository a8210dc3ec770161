import { isRefused, refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import { CHECKSUM_BYTES, parseChecksum } from './checksum-header.js';
import type { ChecksumHeader } from './checksum-header.js';

/** The trailers of a body as they came. */
export type Trailers = ReadonlyMap<ChecksumHeader, Buffer>;

/** The trailer that signs the others. */
export const TRAILER_SIGNATURE = 'x-amz-trailer-signature';

/** Bytes of the longest trailer without its line end: the signature. */
export const LONGEST_TRAILER = TRAILER_SIGNATURE.length + 1 + 64;

/** The canonical trailers: `name:value` and a line feed for each, sorted by name. */
export function canonicalTrailers(trailers: Trailers): string {
  const lines = [...trailers].map(([name, checksum]) => `${name}:${checksum.toString('base64')}\n`);
  return lines.sort().join('');
}

/** Collects the trailers of a body: those that were announced, each once, then their signature where there is one. */
export class TrailerReader {
  readonly #announced: ReadonlySet<string>;
  readonly #found = new Map<ChecksumHeader, Buffer>();
  #signature: string | undefined;

  constructor(announced: readonly ChecksumHeader[]) {
    this.#announced = new Set(announced);
  }

  get found(): Trailers {
    return this.#found;
  }

  /** As presented; undefined when none came. */
  get signature(): string | undefined {
    return this.#signature;
  }

  /** Takes one line, `NAME:VALUE`: lower case, without blanks, since clients write and sign it in no other way. */
  take(line: string): Refused | undefined {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1);
    if (this.#signature !== undefined) return refuse('malformed-trailer', 'behind the signature');
    if (name === TRAILER_SIGNATURE) {
      this.#signature = value;
      return undefined;
    }
    if (!this.#isAnnounced(name)) return refuse('trailer-mismatch', 'one that was not announced');
    if (this.#found.has(name)) return refuse('trailer-mismatch', 'one came twice');
    const checksum = parseChecksum(name, value);
    if (isRefused(checksum)) return checksum;
    this.#found.set(name, checksum);
    return undefined;
  }

  /** Whether all came that were announced. */
  get isComplete(): boolean {
    return this.#found.size === this.#announced.size;
  }

  #isAnnounced(name: string): name is ChecksumHeader {
    return Object.hasOwn(CHECKSUM_BYTES, name) && this.#announced.has(name);
  }
}
