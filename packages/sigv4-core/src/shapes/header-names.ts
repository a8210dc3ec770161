import { isToken } from '../request-head.js';

/** More than clients send; bounds what is remembered, and the work to compare. */
const MOST_HEADERS = 40;
const LONGEST_NAME = 64;

/** The names of a request's headers, as they came, each once. */
export class HeaderNames {
  readonly #names: readonly string[];
  /** Where the value of a header stands in the raw headers, by lower-case name. */
  readonly places: ReadonlyMap<string, number>;

  private constructor(names: readonly string[], places: ReadonlyMap<string, number>) {
    this.#names = names;
    this.places = places;
  }

  /** Undefined for names that are malformed, repeated, or too many or long to be remembered. */
  static of(rawHeaders: readonly string[]): HeaderNames | undefined {
    const names = rawHeaders.filter((_, at) => at % 2 === 0);
    const places = new Map(names.map((name, index) => [name.toLowerCase(), 2 * index + 1]));
    const areGood = names.every((name) => isToken(name) && name.length <= LONGEST_NAME);
    const isWhole = rawHeaders.length === 2 * names.length;
    return areGood && isWhole && names.length <= MOST_HEADERS && places.size === names.length
      ? new HeaderNames(names, places)
      : undefined;
  }

  /** Whether these are the names of the raw headers, in the same order and spelling. */
  areThoseOf(rawHeaders: readonly string[]): boolean {
    const names = this.#names;
    if (rawHeaders.length !== 2 * names.length) return false;
    for (let index = 0; index < names.length; index += 1) {
      if (rawHeaders[2 * index] !== names[index]) return false;
    }
    return true;
  }
}
