import { percentDecode, uniformEncoding } from './percent-encoding.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** One parameter of the query, name and value in canonical encoding. */
export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

/** The query, read once. */
export interface QueryParameters {
  /** In order of arrival, duplicates kept. */
  readonly all: readonly QueryParameter[];
  /** The x-amz-* parameters, decoded, by lower-case name. Signers spell them both ways, so the case tells nothing. */
  readonly amz: ReadonlyMap<string, string>;
}

const AMZ = 'x-amz-';
const NO_PARAMETERS: QueryParameters = { all: [], amz: new Map() };

/** Parts a raw query on "&", each parameter on its first "=". An empty part is none; without "=" the value is empty. */
export function parseQueryParameters(query: string): QueryParameters | Refused {
  if (query === '') return NO_PARAMETERS;
  const all: QueryParameter[] = [];
  const amz = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = encoded(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : encoded(part.slice(equals + 1));
    all.push({ name, value });
    const lowerCase = name.toLowerCase();
    if (!lowerCase.startsWith(AMZ)) continue;
    if (amz.has(lowerCase)) return refuse('duplicate-parameter', lowerCase);
    amz.set(lowerCase, percentDecode(value));
  }
  return { all, amz };
}

/**
 * A raw "+" is a space, as in S3 and the stores that follow it: clients that write a query as a form send "+" where
 * they signed %20. It is never equal to %2B, so a signed plus cannot be turned into a space.
 */
function encoded(raw: string): string {
  return uniformEncoding(raw.includes('+') ? raw.replaceAll('+', '%20') : raw, 'encoded');
}
