import type { Dispatcher } from 'undici';
import type { HeaderPair } from './message-headers.js';

/** Headers in the forms that undici takes: a record, names and values in a row, or pairs. */
export function headerPairs(headers: Dispatcher.DispatchOptions['headers']): readonly HeaderPair[] {
  if (headers === undefined || headers === null) return [];
  if (Array.isArray(headers)) return fromRow(headers);
  const entries = isIterable(headers) ? [...headers] : Object.entries(headers);
  return entries.flatMap(([name, value]) => valuesOf(value).map((one): HeaderPair => [name, one]));
}

function fromRow(row: readonly string[]): readonly HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let at = 0; at + 1 < row.length; at += 2) pairs.push([row[at] ?? '', row[at + 1] ?? '']);
  return pairs;
}

type Value = string | string[] | undefined;

function valuesOf(value: Value): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function isIterable(headers: object): headers is Iterable<[string, Value]> {
  return Symbol.iterator in headers;
}
