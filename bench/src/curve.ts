/** A point of the curve: how many edges, and milliseconds. */
export interface Point {
  readonly edges: number;
  readonly p50: number;
  readonly p99: number;
}

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = 56;

/** The curve as a standalone SVG, both axes logarithmic. */
export function curve(points: readonly Point[], title: string): string {
  const most = { x: Math.max(...points.map(({ edges }) => edges)), y: Math.max(500, ...points.map(({ p99 }) => p99)) };
  const least = { x: Math.min(...points.map(({ edges }) => edges)), y: 1 };
  const x = (edges: number): number => along(edges, least.x, most.x, MARGIN, WIDTH - MARGIN);
  const y = (ms: number): number => along(Math.max(ms, least.y), least.y, most.y, HEIGHT - MARGIN, MARGIN);
  const line = (pick: (point: Point) => number, colour: string): string =>
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points
      .map((point) => `${x(point.edges).toFixed(1)},${y(pick(point)).toFixed(1)}`)
      .join(' ')}"/>`;
  const ticks = [1, 10, 100, 500].map(
    (ms) =>
      `<line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${y(ms)}" y2="${y(ms)}" stroke="#ccc"/>` +
      `<text x="${MARGIN - 8}" y="${y(ms) + 4}" text-anchor="end">${ms} ms</text>`,
  );
  const counts = points.map(
    ({ edges }) => `<text x="${x(edges)}" y="${HEIGHT - MARGIN + 20}" text-anchor="middle">${edges}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${MARGIN}" y="24" font-size="14">${title}</text>`,
    ...ticks,
    ...counts,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 12}" text-anchor="middle">edges</text>`,
    line(({ p50 }) => p50, '#2a7'),
    line(({ p99 }) => p99, '#c33'),
    `<text x="${WIDTH - MARGIN}" y="24" text-anchor="end"><tspan fill="#2a7">p50</tspan> <tspan fill="#c33">p99</tspan></text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** Where a value lies between two ends of a logarithmic axis. */
function along(value: number, from: number, to: number, start: number, end: number): number {
  if (from === to) return (start + end) / 2;
  return start + ((Math.log(value) - Math.log(from)) / (Math.log(to) - Math.log(from))) * (end - start);
}
