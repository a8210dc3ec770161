import type { BarPlot } from '../measured.js';
import { svg, text } from './svg.js';

const WIDTH = 720;
const LEFT = 190;
const ROW = 20;
const COLOURS: Readonly<Record<string, string>> = { 'sigv4-core': '#2a7', 'C floor': '#888' };

/** Bars from zero, a group below the other, the shortest first. */
export function bars({ title, unit, groups }: BarPlot): string {
  const longest = Math.max(...groups.flatMap((group) => group.bars.map(({ value }) => value)));
  const content: string[] = [];
  let y = 48;
  for (const group of groups) {
    content.push(text(8, y + 14, group.name, { anchor: 'start', weight: 'bold' }));
    y += ROW;
    for (const { name, value } of group.bars.toSorted((one, other) => one.value - other.value)) {
      const width = (value / longest) * (WIDTH - LEFT - 80);
      content.push(
        text(LEFT - 8, y + 14, name, { anchor: 'end' }),
        `<rect x="${LEFT}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 6}" fill="${COLOURS[name] ?? '#79c'}"/>`,
        text(LEFT + width + 6, y + 14, `${value.toFixed(1)} ${unit}`, { anchor: 'start' }),
      );
      y += ROW;
    }
    y += ROW / 2;
  }
  return svg(WIDTH, y, title, content);
}
