import { isScopeDate, startOfScopeDate } from '../scope-date.js';

const TIME = /^T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z$/;

/** Reads `YYYY-MM-DDTHH:MM:SS[.FRACTION]Z`, a real instant in UTC, to epoch milliseconds; undefined for all else. */
export function parseExpiration(text: string): number | undefined {
  const day = text.slice(0, 10);
  const date = day.replaceAll('-', '');
  const time = text.slice(10);
  const isWritten = day[4] === '-' && day[7] === '-' && isScopeDate(date) && TIME.test(time);
  if (!isWritten) return undefined;
  const seconds = Number(time.slice(1, 3)) * 3600 + Number(time.slice(4, 6)) * 60 + Number(time.slice(7, 9));
  const fraction = time.length > 'T00:00:00Z'.length ? Number(`0${time.slice(9, -1)}`) : 0;
  return startOfScopeDate(date) + seconds * 1000 + Math.floor(fraction * 1000);
}

/** Writes an instant (epoch milliseconds, cut to the second) as policies do. Throws RangeError for none. */
export function formatExpiration(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}
