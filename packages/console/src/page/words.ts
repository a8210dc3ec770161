export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : several}`;
}

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
];

export function span(seconds: number): string {
  for (const [length, unit] of UNITS) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}`;
  return `${Math.max(0, Math.round(seconds))} s`;
}

/** From one instant (ISO 8601) to a later one. */
export function age(from: string, to: string): string {
  return span((Date.parse(to) - Date.parse(from)) / 1000);
}

/** The trust domain is the same for all; what differs is the path. */
export function pathOf(spiffeId: string): string {
  return spiffeId.replace(/^spiffe:\/\/[^/]*/, '');
}

export function clockText(instant: string): string {
  return `${instant.slice(11, 19)} UTC`;
}

/** The UTC day of an instant. */
export function instantDay(instant: string): string {
  return instant.slice(0, 10);
}

/** An instant to the second. */
export function instantText(instant: string): string {
  return `${instant.slice(0, 19)}Z`;
}

/** The incident that a ban's reason begins with, as this page writes it: `INC-7: edge broken into`. */
export function incidentIn(reason: string): string | undefined {
  return /^([A-Za-z0-9][A-Za-z0-9._-]{0,63}): /.exec(reason)?.[1];
}
