import { z } from 'zod';

const MINUTE_MS = 60_000;
const UNITS: Readonly<Record<string, number>> = {
  m: MINUTE_MS,
  h: 60 * MINUTE_MS,
  d: 24 * 60 * MINUTE_MS,
  w: 7 * 24 * 60 * MINUTE_MS,
};

/** `30m`, `12h`, `90d`, `4w` in milliseconds; undefined for anything else. */
export function readSpan(text: string): number | undefined {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([mhdw])$/.exec(text) ?? [];
  const length = UNITS[unit];
  return count === undefined || length === undefined ? undefined : Number(count) * length;
}

/** A span of time, milliseconds. */
export const span = z.string().transform((text, context): number => {
  const ms = readSpan(text);
  if (ms !== undefined) return ms;
  context.issues.push({ code: 'custom', input: text, message: 'must be like 30m, 24h or 7d' });
  return z.NEVER;
});
