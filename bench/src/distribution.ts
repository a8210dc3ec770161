import type { Figure } from './measured.js';

/** The value below which the fraction `p` of the sorted values lies. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The median of several turns, and how far they scatter. */
export function figureOf(turns: readonly number[]): Figure {
  return { median: median(turns), spread: (quantile(turns, 0.75) - quantile(turns, 0.25)) / 2 };
}
