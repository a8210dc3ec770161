import Grid from 'cli-table3';
import type { Cell, Table } from './measured.js';
import type { GoalFigure, JudgedGoal } from './goals.js';
import type { ReportedPart } from './report.js';

/** The tables of a part, as text. */
export function printed({ tables }: ReportedPart): string {
  return tables.map(printedTable).join('');
}

/** Every goal beside its figure. */
export function printedGoals(parts: readonly ReportedPart[]): string {
  const rows = parts.flatMap(({ name, goals }) => goals.map((goal) => goalRow(name, goal)));
  if (rows.length === 0) return '';
  return printedTable({ title: 'Goals', head: ['part', '', 'goal', 'measured', ''], rows, notes: [] });
}

/** How long each part took. */
export function printedTimes(parts: readonly ReportedPart[]): string {
  const each = parts.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`);
  const all = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  return `\nTook: ${each.join(', ')}; in all ${all.toFixed(0)} s.\n`;
}

function goalRow(part: string, { what, bound, limit, unit, figure, verdict }: JudgedGoal): string[] {
  return [part, what, `${bound} ${number(limit)} ${unit}`, printedFigure(figure, unit), verdict];
}

function printedFigure(figure: GoalFigure, unit: string): string {
  return typeof figure === 'number' ? `${number(figure)} ${unit}` : figure.notMeasured;
}

function printedTable({ title, head, rows, notes }: Table): string {
  const grid = new Grid({ head, style: { head: [], border: [] } });
  for (const row of rows) grid.push(row.map(printedCell));
  return `\n${title}\n${grid.toString()}\n${notes.map((note) => `${note}\n`).join('')}`;
}

function printedCell(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return number(cell);
  return `${number(cell.median)} (${number(cell.spread)})`;
}

/** Three digits that count, and whole numbers whole. */
function number(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3).replace(/0+e/, 'e');
}
