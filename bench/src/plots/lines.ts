import type { LinePlot } from '../measured.js';
import { axisFor, type Axis } from './axis.js';
import { svg, text } from './svg.js';

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = 64;
const COLOURS = ['#26c', '#c33', '#2a7', '#c80', '#72b', '#888'];

/** Lines over an axis; names in the colours of the lines, at the top on the right. */
export function lines({ title, x: across, y: up, lines: drawn, mark }: LinePlot): string {
  const points = drawn.flatMap((line) => line.points);
  const x = axisFor(
    across.scale,
    points.map(([at]) => at),
    [MARGIN, WIDTH - MARGIN],
  );
  const y = axisFor(
    up.scale,
    points.map(([, value]) => value),
    [HEIGHT - MARGIN, MARGIN],
  );
  return svg(WIDTH, HEIGHT, title, [
    ...grid(x, y),
    text(WIDTH / 2, HEIGHT - 12, across.label),
    text(8, MARGIN - 16, up.label, { anchor: 'start' }),
    ...(mark === undefined ? [] : [vertical(x.place(mark), '#888')]),
    ...drawn.flatMap(({ name, points: along }, n) => {
      const colour = COLOURS[n % COLOURS.length] ?? '#000';
      const places = along.map(([at, value]) => `${x.place(at).toFixed(1)},${y.place(value).toFixed(1)}`);
      return [
        `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.join(' ')}"/>`,
        ...(along.length > 20 ? [] : places.map((place) => dot(place, colour))),
        text(WIDTH - MARGIN, 44 + n * 16, name, { anchor: 'end', colour }),
      ];
    }),
  ]);
}

function grid(x: Axis, y: Axis): readonly string[] {
  return [
    ...y.ticks.flatMap((value) => {
      const at = y.place(value).toFixed(1);
      return [
        `<line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${at}" y2="${at}" stroke="#ccc"/>`,
        text(MARGIN - 8, y.place(value) + 4, value.toLocaleString('en'), { anchor: 'end' }),
      ];
    }),
    ...x.ticks.map((value) => text(x.place(value), HEIGHT - MARGIN + 20, value.toLocaleString('en'))),
  ];
}

function vertical(at: number, colour: string): string {
  const line = `x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${MARGIN}" y2="${HEIGHT - MARGIN}"`;
  return `<line ${line} stroke="${colour}" stroke-dasharray="4 4"/>`;
}

function dot(place: string, colour: string): string {
  const [x = '0', y = '0'] = place.split(',');
  return `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`;
}
