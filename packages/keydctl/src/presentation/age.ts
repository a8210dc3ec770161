const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of milliseconds in words short enough for a table: `7s`, `12m`, `5h`, `9d`. */
export function span(ms: number): string {
  const length = Math.abs(ms);
  if (length < 2 * MINUTE) return `${Math.floor(length / SECOND)}s`;
  if (length < 2 * HOUR) return `${Math.floor(length / MINUTE)}m`;
  if (length < 2 * DAY) return `${Math.floor(length / HOUR)}h`;
  return `${Math.floor(length / DAY)}d`;
}

/** How long ago `instant` (ISO 8601) was at `now` (epoch milliseconds). */
export function ago(instant: string, now: number): string {
  return `${span(Math.max(0, now - Date.parse(instant)))} ago`;
}

/** An instant to the second, UTC. */
export function shortInstant(instant: string | Date): string {
  return new Date(instant).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
