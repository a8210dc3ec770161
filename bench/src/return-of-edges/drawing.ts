/** A line of the drawing: a count for each second. */
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly counts: readonly number[];
}

export interface DrawingOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  /** The second in which the outage is over. */
  readonly returnsAt: number;
}

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = 56;

/** Counts over seconds as a standalone SVG. The vertical axis is logarithmic, with none at its foot. */
export function drawing({ title, lines, returnsAt }: DrawingOptions): string {
  const seconds = Math.max(...lines.map(({ counts }) => counts.length));
  const decades = Math.ceil(Math.log10(Math.max(10, ...lines.flatMap(({ counts }) => counts)) + 1));
  const x = (second: number): number => MARGIN + (second / (seconds - 1)) * (WIDTH - 2 * MARGIN);
  const y = (count: number): number => HEIGHT - MARGIN - (Math.log10(count + 1) / decades) * (HEIGHT - 2 * MARGIN);
  const text = (at: readonly [x: number, y: number], content: string, anchor = 'middle', colour = '#000'): string =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${content}</text>`;
  const ticks = Array.from({ length: decades + 1 }, (_, decade) => 10 ** decade).map(
    (count) =>
      `<line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${y(count).toFixed(1)}" y2="${y(count).toFixed(1)}" ` +
      `stroke="#ccc"/>${text([MARGIN - 8, y(count) + 4], count.toLocaleString('en-GB'), 'end')}`,
  );
  const tens = Array.from({ length: Math.floor((seconds - 1) / 20) + 1 }, (_, n) => n * 20);
  const names = lines.map(({ name, colour }, n) => text([WIDTH - MARGIN, 44 + n * 16], name, 'end', colour));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text([MARGIN, 24], title, 'start'),
    ...ticks,
    ...tens.map((second) => text([x(second), HEIGHT - MARGIN + 20], String(second))),
    text([WIDTH / 2, HEIGHT - 12], 'seconds since the edges came up; requests a second'),
    `<line x1="${x(returnsAt).toFixed(1)}" x2="${x(returnsAt).toFixed(1)}" y1="${MARGIN}" y2="${HEIGHT - MARGIN}" ` +
      'stroke="#888" stroke-dasharray="4 4"/>',
    ...lines.map(
      ({ colour, counts }) =>
        `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${counts
          .map((count, second) => `${x(second).toFixed(1)},${y(count).toFixed(1)}`)
          .join(' ')}"/>`,
    ),
    ...names,
    '</svg>',
    '',
  ].join('\n');
}
