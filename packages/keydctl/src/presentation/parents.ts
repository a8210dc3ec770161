import type { ParentReport, StatusAnswer } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { ago, span } from './age.js';
import { pathOf } from './path-of.js';
import { table } from './table.js';

/** Which parents each tier below the master knows, which of them are well, and which it asks first. */
export function parentsText(paint: Paint, status: StatusAnswer, now: number): string | undefined {
  const rows = status.regions.flatMap((region) => [
    ...rowsOf(paint, region.spiffeId, region.report?.parents ?? [], now),
    ...region.edges.flatMap((edge) => rowsOf(paint, edge.spiffeId, edge.report.parents, now)),
  ]);
  return rows.length === 0 ? undefined : table(paint, ['asks', 'parent', 'state', 'last answer'], rows);
}

function rowsOf(paint: Paint, spiffeId: string, parents: readonly ParentReport[], now: number): string[][] {
  return parents.map((parent) => [
    `${pathOf(spiffeId)}${parent.isChosen ? ' (first)' : ''}`,
    parent.url,
    stateOf(paint, parent, now),
    parent.answeredAt === undefined ? 'never' : ago(parent.answeredAt, now),
  ]);
}

function stateOf(paint: Paint, { isHealthy, since, failure }: ParentReport, now: number): string {
  if (isHealthy) return paint.green('well');
  const forLong = span(now - Date.parse(since));
  return paint.red(`put aside for ${forLong}${failure === undefined ? '' : `: ${failure}`}`);
}
