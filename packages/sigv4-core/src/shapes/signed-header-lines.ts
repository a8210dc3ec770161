import { checkSignedHeaders } from '../signed-headers.js';
import type { HeaderNames } from './header-names.js';
import { isPlainValue, ownText } from './plain-text.js';

interface Line {
  /** All that stands before the value. */
  readonly before: string;
  /** Where the value stands in the raw headers. */
  readonly place: number;
}

/** A header that nothing else looks at. */
interface Other {
  readonly place: number;
  /** What it was in the request that was learnt from: nothing has to be asked of the same value again. */
  readonly known: string | undefined;
}

/** Headers that a client sends alike in every request; in those of other names, a value may be a secret. */
const ALIKE: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'amz-sdk-request',
  'connection',
  'content-type',
  'host',
  'user-agent',
  'x-amz-acl',
  'x-amz-storage-class',
  'x-amz-user-agent',
]);
const LONGEST_KNOWN = 512;

/** The lines of the canonical request from the signed headers to their list, for headers of known names. */
export class SignedHeaderLines {
  readonly #lines: readonly Line[];
  readonly #end: string;
  readonly #others: readonly Other[];

  private constructor(lines: readonly Line[], end: string, others: readonly Other[]) {
    this.#lines = lines;
    this.#end = end;
    this.#others = others;
  }

  /**
   * `rawHeaders`: of a request that was proven. Undefined when the list does not cover the names as it must. The values
   * of the headers in `matchedOtherwise` are for the caller to look at: each must be visible ASCII without a space but
   * single ones.
   */
  static of(
    { places }: HeaderNames,
    rawHeaders: readonly string[],
    signedHeaders: readonly string[],
    matchedOtherwise: readonly string[],
  ): SignedHeaderLines | undefined {
    const values = new Map([...places.keys()].map((name) => [name, '']));
    if (checkSignedHeaders(values, signedHeaders) !== undefined) return undefined;
    const lines = signedHeaders.map((name, index) => ({
      before: `${index === 0 ? '' : '\n'}${name}:`,
      place: places.get(name) ?? 0,
    }));
    const others = [...places]
      .filter(([name]) => !matchedOtherwise.includes(name))
      .map(([name, place]) => ({ place, known: ALIKE.has(name) ? knownValue(rawHeaders[place]) : undefined }));
    return new SignedHeaderLines(lines, `\n\n${signedHeaders.join(';')}\n`, others);
  }

  /** Whether every value is its own canonical form. */
  arePlain(rawHeaders: readonly string[]): boolean {
    for (const { place, known } of this.#others) {
      const value = rawHeaders[place];
      if (value === undefined || (value !== known && !isPlainValue(value))) return false;
    }
    return true;
  }

  textOf(rawHeaders: readonly string[]): string {
    let text = '';
    for (const { before, place } of this.#lines) text += before + (rawHeaders[place] ?? '');
    return text + this.#end;
  }
}

function knownValue(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= LONGEST_KNOWN && isPlainValue(value) ? ownText(value) : undefined;
}
