/** Where values lie in a drawing, and at which of them there is a mark. */
export interface Axis {
  place(value: number): number;
  readonly ticks: readonly number[];
}

type Ends = readonly [from: number, to: number];

const LEAST_LINEAR_TICKS = 4;

export function axisFor(scale: 'linear' | 'logarithmic', values: readonly number[], ends: Ends): Axis {
  return scale === 'linear' ? linear(values, ends) : logarithmic(values, ends);
}

/** From zero. */
function linear(values: readonly number[], [from, to]: Ends): Axis {
  const most = Math.max(Number.MIN_VALUE, ...values);
  const step = tickStep(most);
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, n) => n * step);
  return { place: (value) => from + (value / most) * (to - from), ticks };
}

/** 1, 2 or 5 and zeros, so that at least four fit in. */
function tickStep(most: number): number {
  const decade = 10 ** Math.floor(Math.log10(most));
  return decade * ([5, 2, 1, 0.5].find((part) => most / (part * decade) >= LEAST_LINEAR_TICKS) ?? 0.2);
}

/** Whole decades; zero lies at its foot. */
function logarithmic(values: readonly number[], [from, to]: Ends): Axis {
  const above = values.filter((value) => value > 0);
  const least = Math.floor(Math.log10(Math.min(...(above.length > 0 ? above : [1]))));
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(1e-9, ...above))));
  const share = (value: number): number => Math.max(0, (Math.log10(value) - least) / (most - least));
  const ticks = Array.from({ length: most - least + 1 }, (_, n) => 10 ** (least + n));
  return { place: (value) => from + (value > 0 ? share(value) : 0) * (to - from), ticks };
}
