import { twoDigits } from './digits.js';
import { isScopeDate, scopeDateOf, startOfScopeDate } from './scope-date.js';
import type { ScopeDate } from './scope-date.js';

/** What an `x-amz-date` says: the instant in epoch milliseconds, and the UTC day it falls on. */
export interface AmzDate {
  readonly at: number;
  readonly date: ScopeDate;
}

const FORM = /^[0-9]{8}T(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z$/;

/**
 * Reads `YYYYMMDDTHHMMSSZ`, and nothing else: no other ISO 8601 form, no 24:00:00, no leap second, no lower case.
 * An instant with two spellings would be one signature with two meanings of its date.
 */
export function parseAmzDate(text: string): AmzDate | undefined {
  const date = text.slice(0, 8);
  const time = timeOfAmzDate(text);
  return time !== undefined && isScopeDate(date) ? { at: startOfScopeDate(date) + time, date } : undefined;
}

/** Milliseconds into the day; undefined for another form. Whether the day is a real one is not looked at. */
export function timeOfAmzDate(text: string): number | undefined {
  if (!FORM.test(text)) return undefined;
  return ((twoDigits(text, 9) * 60 + twoDigits(text, 11)) * 60 + twoDigits(text, 13)) * 1000;
}

/** Writes an instant (epoch milliseconds, cut to the second) as `YYYYMMDDTHHMMSSZ`. Throws as scopeDateOf does. */
export function formatAmzDate(epochMs: number): string {
  return `${scopeDateOf(epochMs)}T${new Date(epochMs).toISOString().slice(11, 19).replaceAll(':', '')}Z`;
}
