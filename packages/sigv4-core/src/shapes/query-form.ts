import { isUniform } from '../percent-encoding.js';
import { ownText } from './plain-text.js';

/** The values of a presigned URL that shapes look at, as they stand in it; empty for a parameter that is not there. */
export interface FormValues {
  readonly credential: string;
  readonly amzDate: string;
  readonly expires: string;
  readonly signature: string;
  readonly contentSha256: string | undefined;
  readonly securityToken: string | undefined;
  /** Of the whole query. */
  readonly canonicalQuery: string;
}

/**
 * What may stand for a value: `fixed`, the one that it has in all queries of the form; `matched`, what the caller looks
 * at, and takes in canonical encoding only; `any` in canonical encoding.
 */
type ValueKind = 'fixed' | 'matched' | 'any';

interface Parameter {
  readonly kind: ValueKind;
  /** `NAME=`, with a fixed value. */
  readonly text: string;
}

/** Parameters that stand beside each other in the query and in the canonical query: numbers of the first and last. */
interface Run {
  readonly first: number;
  readonly last: number;
}

const MOST_PARAMETERS = 32;
const LONGEST_TEXT = 512;
const AMPERSAND = 0x26;
const SIGNATURE = 'x-amz-signature';
const KINDS: ReadonlyMap<string, ValueKind> = new Map([
  ['x-amz-algorithm', 'fixed'],
  ['x-amz-signedheaders', 'fixed'],
  ['x-amz-credential', 'matched'],
  ['x-amz-date', 'matched'],
  ['x-amz-expires', 'matched'],
  [SIGNATURE, 'matched'],
  ['x-amz-security-token', 'matched'],
]);

/** The queries of presigned URLs whose parameters have the same names in the same order, each once. */
export class QueryForm {
  readonly key: string;
  /** In canonical encoding. */
  readonly signedHeaders: string;
  readonly #parameters: readonly Parameter[];
  readonly #runs: readonly Run[];
  // The numbers of the parameters; -1 for one that is not there.
  readonly #credential: number;
  readonly #amzDate: number;
  readonly #expires: number;
  readonly #signature: number;
  readonly #contentSha256: number;
  readonly #securityToken: number;
  // Where parameters and their values begin, and where both end, in the query that is read.
  readonly #starts: Uint32Array;
  readonly #valueStarts: Uint32Array;
  readonly #ends: Uint32Array;

  private constructor(parameters: readonly Parameter[], names: readonly string[], signedHeaders: string) {
    this.key = parameters.map(({ text }) => text).join('&');
    this.signedHeaders = signedHeaders;
    this.#parameters = parameters;
    this.#runs = runsOf(names);
    this.#starts = new Uint32Array(names.length);
    this.#valueStarts = new Uint32Array(names.length);
    this.#ends = new Uint32Array(names.length);
    const numberOf = (name: string): number => names.findIndex((one) => one.toLowerCase() === name);
    this.#credential = numberOf('x-amz-credential');
    this.#amzDate = numberOf('x-amz-date');
    this.#expires = numberOf('x-amz-expires');
    this.#signature = numberOf(SIGNATURE);
    this.#contentSha256 = numberOf('x-amz-content-sha256');
    this.#securityToken = numberOf('x-amz-security-token');
  }

  /** Undefined for queries that are not in canonical encoding, or whose canonical order depends on values. */
  static of(query: string): QueryForm | undefined {
    const parts = query.split('&', MOST_PARAMETERS + 1).map((part) => {
      const equals = part.indexOf('=');
      return { name: part.slice(0, Math.max(equals, 0)), value: part.slice(equals + 1) };
    });
    const names = parts.map(({ name }) => ownText(name));
    const lowerCase = names.map((name) => name.toLowerCase());
    const areGood = parts.every(({ name }) => name !== '' && name.length <= LONGEST_TEXT && isUniform(name));
    if (!areGood || parts.length > MOST_PARAMETERS || new Set(lowerCase).size !== names.length) return undefined;
    const valueOf = (name: string): string => parts[lowerCase.indexOf(name)]?.value ?? '';
    const signedHeaders = valueOf('x-amz-signedheaders');
    if (valueOf('x-amz-algorithm') !== 'AWS4-HMAC-SHA256' || signedHeaders.length > LONGEST_TEXT) return undefined;
    const parameters = parts.map(({ name, value }) => {
      const kind = KINDS.get(name.toLowerCase()) ?? 'any';
      return { kind, text: ownText(`${name}=${kind === 'fixed' ? value : ''}`) };
    });
    return isUniform(signedHeaders) ? new QueryForm(parameters, names, ownText(signedHeaders)) : undefined;
  }

  /** The values of the query that begins at `start`; undefined when it has another form. */
  valuesIn(target: string, start: number): FormValues | undefined {
    const last = this.#parameters.length - 1;
    let number = 0;
    let at = start;
    for (const { kind, text } of this.#parameters) {
      const valueAt = at + text.length;
      if (target.slice(at, valueAt) !== text) return undefined;
      const ampersand = kind === 'fixed' ? valueAt : target.indexOf('&', valueAt);
      const end = ampersand < 0 ? target.length : ampersand;
      if (number === last ? end !== target.length : target.charCodeAt(end) !== AMPERSAND) return undefined;
      if (kind === 'any' && !isUniform(target.slice(valueAt, end))) return undefined;
      this.#starts[number] = at;
      this.#valueStarts[number] = valueAt;
      this.#ends[number] = end;
      number += 1;
      at = end + 1;
    }
    return {
      credential: this.#valueIn(target, this.#credential) ?? '',
      amzDate: this.#valueIn(target, this.#amzDate) ?? '',
      expires: this.#valueIn(target, this.#expires) ?? '',
      signature: this.#valueIn(target, this.#signature) ?? '',
      contentSha256: this.#valueIn(target, this.#contentSha256),
      securityToken: this.#valueIn(target, this.#securityToken),
      canonicalQuery: this.#canonicalQueryIn(target),
    };
  }

  #valueIn(target: string, number: number): string | undefined {
    return number < 0 ? undefined : target.slice(this.#valueStarts[number], this.#ends[number]);
  }

  #canonicalQueryIn(target: string): string {
    let canonicalQuery = '';
    for (const { first, last } of this.#runs) {
      const run = target.slice(this.#starts[first], this.#ends[last]);
      canonicalQuery = canonicalQuery === '' ? run : `${canonicalQuery}&${run}`;
    }
    return canonicalQuery;
  }
}

/** No name comes twice, so the canonical order follows from the names alone. */
function runsOf(names: readonly string[]): readonly Run[] {
  const sorted = names
    .map((name, number) => ({ name, number }))
    .filter(({ name }) => name.toLowerCase() !== SIGNATURE)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const runs: Run[] = [];
  for (const { number } of sorted) {
    const before = runs.at(-1);
    if (before?.last === number - 1) runs[runs.length - 1] = { first: before.first, last: number };
    else runs.push({ first: number, last: number });
  }
  return runs;
}
