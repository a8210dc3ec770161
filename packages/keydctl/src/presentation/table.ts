import Table from 'cli-table3';
import type { Paint } from '../command-line/outcome.js';

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};
const PLAIN = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 };

/** Columns under their headings, without lines: easy on the eyes, and on grep. */
export function table(paint: Paint, headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = new Table({
    chars: NO_LINES,
    style: PLAIN,
    head: headings.map((heading) => paint.dim(heading.toUpperCase())),
  });
  lines.push(...rows.map((row) => row.map((cell) => printable(cell))));
  return trimLines(lines.toString());
}

/** Names and their values, one a line. */
export function facts(paint: Paint, pairs: readonly (readonly [name: string, value: string])[]): string {
  const lines = new Table({ chars: NO_LINES, style: PLAIN });
  lines.push(...pairs.map(([name, value]) => [paint.dim(name), printable(value)]));
  return trimLines(lines.toString());
}

const ESCAPE = String.fromCharCode(27);
const COLOUR = new RegExp(`(${ESCAPE}\\[\\d{1,3}m)`);
const CONTROL = /\p{C}/gu;

/** Control characters in what others wrote (owners, identities) could move a terminal's cursor: they are replaced. */
function printable(text: string): string {
  // Splitting by a group keeps what it matched, at the odd places: these are our own colours.
  const parts = text.split(COLOUR);
  return parts.map((part, place) => (place % 2 === 1 ? part : part.replaceAll(CONTROL, '\ufffd'))).join('');
}

function trimLines(text: string): string {
  return text.replaceAll(/[ \t]+$/gm, '');
}
