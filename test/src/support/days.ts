import { parseScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';

/** A UTC day written YYYYMMDD, for a test that knows it to be one. */
export function day(text: string): ScopeDate {
  const date = parseScopeDate(text);
  if (date === undefined) throw new Error(`${text} is no day`);
  return date;
}
