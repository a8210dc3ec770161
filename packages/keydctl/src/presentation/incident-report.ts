import { accessKeyText, dayText, runsOfDays } from '@sigv4-keyd/console';
import type { IncidentReport } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { shortInstant } from './age.js';
import { lines, section } from './section.js';
import { facts, table } from './table.js';

/** Rows of a list on a terminal; `--json` and `--html` have more. */
const MOST_ROWS = 20;

/** An incident report for eyes: the verdict first, then who and when, then what to do. */
export function incidentText(paint: Paint, report: IncidentReport): string {
  const { accepted, outside, blastRadius } = report;
  return [
    facts(paint, [
      ['scope', report.scope],
      ['issued in it', issuedIn(blastRadius)],
      ['accepted in it', counted(accepted)],
      ['outside, good', counted(outside)],
      ['as of', shortInstant(report.at)],
    ]),
    section(paint, 'Issued to', issuedTo(paint, report)),
    section(paint, 'Accepted, by access key', byAccessKey(paint, report)),
    section(paint, 'Accepted, by edge', byEdge(paint, report)),
    section(paint, 'Accepted, by day', byDay(paint, report)),
    section(paint, 'Revocations that hit this scope', revocations(paint, report)),
    section(paint, 'Remains good', lines(blastRadius.remainsGood)),
    section(paint, 'Ways back to service', lines(report.waysBack)),
    section(paint, 'Each single request, from the logs of the edges', `  ${report.logQuery}`),
    section(paint, 'Note', lines(report.notes)),
  ].join('\n\n');
}

function issuedIn({ accessKeyCount, identities, identityCount }: IncidentReport['blastRadius']): string {
  return `access keys: ${accessKeyCount}, to regions and edges: ${identityCount ?? identities.length}`;
}

type Counted = Pick<IncidentReport['outside'], 'count' | 'first' | 'last'>;

function counted({ count, first, last }: Counted): string {
  if (count === 0 || first === undefined || last === undefined) return 'no signature';
  return `${count} signature${count === 1 ? '' : 's'}, ${shortInstant(first)} to ${shortInstant(last)}`;
}

function issuedTo(paint: Paint, { blastRadius: { identities, identityCount } }: IncidentReport): string {
  if (identities.length === 0) return '  Nothing was issued in this scope.';
  const rows = identities.map(({ spiffeId, dates, lastIssuedAt }) => [
    spiffeId,
    runsOfDays(dates),
    shortInstant(lastIssuedAt),
  ]);
  const headings = ['identity', 'days', 'last issued'];
  return capped(table(paint, headings, rows.slice(0, MOST_ROWS)), identityCount ?? rows.length);
}

function byAccessKey(paint: Paint, { accepted }: IncidentReport): string {
  if (accepted.byAccessKey.length === 0) return '  None was reported.';
  const rows = accepted.byAccessKey.map(({ owner, revoked, ...accepted }) => [
    accessKeyText(accepted),
    owner,
    String(accepted.count),
    ...times(accepted),
    revoked ? paint.green('revoked') : paint.red('not revoked'),
  ]);
  const headings = ['access key id', 'owner', 'count', 'first', 'last', 'now'];
  return capped(table(paint, headings, rows.slice(0, MOST_ROWS)), accepted.accessKeyCount);
}

function byEdge(paint: Paint, { accepted }: IncidentReport): string {
  if (accepted.byEdge.length === 0) return '  None was reported.';
  const rows = accepted.byEdge.map(({ edge, ...count }) => [edge, String(count.count), ...times(count)]);
  return capped(table(paint, ['edge', 'count', 'first', 'last'], rows.slice(0, MOST_ROWS)), accepted.edgeCount);
}

function byDay(paint: Paint, { accepted: { byDay: days } }: IncidentReport): string {
  if (days.length === 0) return '  None was reported.';
  const rows = days.map(({ scopeDate, region, ...count }) => [
    dayText(scopeDate),
    region,
    String(count.count),
    ...times(count),
  ]);
  return capped(table(paint, ['signed on', 'region', 'count', 'first', 'last'], rows.slice(-MOST_ROWS)), rows.length);
}

function revocations(paint: Paint, { revocations: found }: IncidentReport): string {
  if (found.length === 0) return `  ${paint.red('None')}: make one with keydctl revoke (--dry-run first).`;
  const rows = found.map(({ id, incident, scope, lifted }) => [
    id,
    incident,
    lifted ? paint.yellow('lifted') : paint.green('in force'),
    scope,
  ]);
  return capped(table(paint, ['id', 'incident', 'state', 'scope'], rows.slice(0, MOST_ROWS)), rows.length);
}

function times({ first, last }: Counted): readonly string[] {
  return [first, last].map((instant) => (instant === undefined ? '-' : shortInstant(instant)));
}

function capped(text: string, total: number): string {
  return total <= MOST_ROWS ? text : `${text}\n  ... ${total} in all; --json lists more`;
}
