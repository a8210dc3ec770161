import { checkSignedHeaders } from '../signed-headers.js';
import type { HeaderNames } from './header-names.js';
import { isPlainValue } from './plain-text.js';

interface Line {
  /** All that stands before the value. */
  readonly before: string;
  /** Where the value stands in the raw headers. */
  readonly place: number;
}

/** The lines of the canonical request from the signed headers to their list, for headers of known names. */
export class SignedHeaderLines {
  readonly #lines: readonly Line[];
  readonly #end: string;
  /** Where the values stand that nothing else looks at. */
  readonly #places: readonly number[];

  private constructor(lines: readonly Line[], end: string, places: readonly number[]) {
    this.#lines = lines;
    this.#end = end;
    this.#places = places;
  }

  /**
   * Undefined when the list does not cover the names as it must. The values of the headers in `matchedOtherwise` are
   * for the caller to look at: each must be visible ASCII without a space but single ones.
   */
  static of(
    { places }: HeaderNames,
    signedHeaders: readonly string[],
    matchedOtherwise: readonly string[],
  ): SignedHeaderLines | undefined {
    const values = new Map([...places.keys()].map((name) => [name, '']));
    if (checkSignedHeaders(values, signedHeaders) !== undefined) return undefined;
    const lines = signedHeaders.map((name, index) => ({
      before: `${index === 0 ? '' : '\n'}${name}:`,
      place: places.get(name) ?? 0,
    }));
    const others = [...places].filter(([name]) => !matchedOtherwise.includes(name)).map(([, place]) => place);
    return new SignedHeaderLines(lines, `\n\n${signedHeaders.join(';')}\n`, others);
  }

  /** Whether every value is its own canonical form. */
  arePlain(rawHeaders: readonly string[]): boolean {
    for (const place of this.#places) {
      const value = rawHeaders[place];
      if (value === undefined || !isPlainValue(value)) return false;
    }
    return true;
  }

  textOf(rawHeaders: readonly string[]): string {
    let text = '';
    for (const { before, place } of this.#lines) text += before + (rawHeaders[place] ?? '');
    return text + this.#end;
  }
}
