/** 20261122 as people write it. */
export function dayText(date: string): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
}

/** What a date field holds, as the protocol writes it. */
export function scopeDateText(value: string): string {
  return value.replaceAll('-', '');
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 20261122 as a head of a column: its weekday, and its day. */
export function dayHead(date: string): { readonly weekday: string; readonly day: string } {
  const at = new Date(dayText(date));
  return {
    weekday: WEEKDAYS[at.getUTCDay()] ?? '',
    day: `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ''}`,
  };
}

const DAY_MS = 86_400_000;

/** Days in order, those in a row as one: `2026-11-01 to 2026-11-05, 2026-11-09`. */
export function runsOfDays(dates: readonly string[]): string {
  const runs: { readonly first: string; last: string }[] = [];
  for (const day of dates.map(dayText)) {
    const run = runs.at(-1);
    if (run && Date.parse(day) - Date.parse(run.last) === DAY_MS) run.last = day;
    else runs.push({ first: day, last: day });
  }
  return runs.map(({ first, last }) => (first === last ? first : `${first} to ${last}`)).join(', ');
}
