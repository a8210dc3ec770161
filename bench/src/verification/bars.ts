import type { Figure } from './interleaved.js';

/** The figures of one request. */
export interface Group {
  readonly name: string;
  readonly figures: ReadonlyMap<string, Figure>;
}

const WIDTH = 720;
const LEFT = 190;
const ROW = 20;
const COLOURS: Readonly<Record<string, string>> = { 'sigv4-core': '#2a7', 'C floor': '#888' };

/** Bars from zero, a group a request, as a standalone SVG. */
export function bars(title: string, groups: readonly Group[]): string {
  const longest = Math.max(...groups.flatMap(({ figures }) => [...figures.values()].map(({ median }) => median)));
  const lines: string[] = [];
  let y = 48;
  for (const { name, figures } of groups) {
    lines.push(`<text x="8" y="${y + 14}" font-weight="bold">${name}</text>`);
    y += ROW;
    for (const [who, { median }] of [...figures].sort(([, one], [, other]) => one.median - other.median)) {
      const width = (median / longest) * (WIDTH - LEFT - 80);
      lines.push(
        `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end">${who}</text>`,
        `<rect x="${LEFT}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 6}" fill="${COLOURS[who] ?? '#79c'}"/>`,
        `<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + 14}">${median.toFixed(1)} µs</text>`,
      );
      y += ROW;
    }
    y += ROW / 2;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="8" y="24" font-size="14">${title}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}
