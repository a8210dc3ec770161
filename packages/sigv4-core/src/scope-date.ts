import { twoDigits } from './digits.js';

declare const realUtcDay: unique symbol;

/** The date of a credential scope: `YYYYMMDD`, a real UTC day of the years 2000 to 9999. */
export type ScopeDate = string & { readonly [realUtcDay]: true };

/** Milliseconds of a UTC day; UTC days have no leap seconds in epoch time. */
export const DAY_MS = 86_400_000;

const FORM = /^[2-9][0-9]{7}$/;
/** From the 1st of March of the year 0 to the 1st of January 1970. */
const DAYS_TO_EPOCH = 719_468;

/** True when the text is `YYYYMMDD`, names a day that exists, and lies in the years 2000 to 9999. */
export function isScopeDate(text: string): text is ScopeDate {
  if (!FORM.test(text)) return false;
  const month = Number(text.slice(4, 6));
  const day = Number(text.slice(6, 8));
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(Number(text.slice(0, 4)), month);
}

/** The text as a scope date, or undefined when it is none. */
export function parseScopeDate(text: string): ScopeDate | undefined {
  return isScopeDate(text) ? text : undefined;
}

/** The UTC day that an instant (epoch milliseconds) falls on. Throws RangeError outside the years 2000 to 9999. */
export function scopeDateOf(epochMs: number): ScopeDate {
  const instant = new Date(epochMs);
  // toISOString would throw on NaN with a message that names no cause; the form check below then catches years too.
  const text = Number.isNaN(instant.getTime()) ? '' : instant.toISOString().slice(0, 10).replaceAll('-', '');
  if (!isScopeDate(text)) {
    throw new RangeError(`no scope date for the instant ${epochMs}: give epoch milliseconds in the years 2000 to 9999`);
  }
  return text;
}

/** The first instant of the day, in epoch milliseconds. Every request asks for it, and `Date.UTC` takes its time. */
export function startOfScopeDate(date: ScopeDate): number {
  const month = twoDigits(date, 4);
  // Years from March on: the day that some have more is then the last, and the months before it have one pattern.
  const year = twoDigits(date, 0) * 100 + twoDigits(date, 2) - (month > 2 ? 0 : 1);
  const monthsSinceMarch = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  const dayOfYear = Math.floor((153 * monthsSinceMarch + 2) / 5) + twoDigits(date, 6) - 1;
  return (365 * year + leapDays + dayOfYear - DAYS_TO_EPOCH) * DAY_MS;
}

/** The day n days later (earlier when n is negative). Throws RangeError when it leaves the years 2000 to 9999. */
export function addDays(date: ScopeDate, n: number): ScopeDate {
  return scopeDateOf(startOfScopeDate(date) + n * DAY_MS);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
