import { accessKeyText, dayText, runsOfDays } from '@sigv4-keyd/console';
import type { BlastRadius, ListedRevocations, RevocationAnswer } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { forClients } from '../revocation/for-clients.js';
import { shortInstant } from './age.js';
import { lines, section } from './section.js';
import { facts, table } from './table.js';

/** Rows of a list on a terminal; `--json` has more. */
const MOST_ROWS = 20;

type Listed = ListedRevocations['revocations'][number];

/** What a revocation hits or would hit, and what it means. */
export function revocationText(paint: Paint, { statement, published, scope, blastRadius }: RevocationAnswer): string {
  const state = published ? paint.green('published: in force at every edge that can be reached') : 'not published';
  return [
    facts(paint, [
      ['scope', paint.bold(scope)],
      ['incident', statement.incident],
      ['reason', statement.reason],
      ['state', state],
      ...(published ? [['id', statement.id] as const] : []),
      [
        'keys issued in it',
        `${blastRadius.accessKeyCount} access keys, to ${blastRadius.identities.length} identities`,
      ],
      ['accepted in it', accepted(blastRadius)],
    ]),
    section(paint, 'Access keys', accessKeys(paint, blastRadius)),
    section(paint, 'Issued to', identities(paint, blastRadius)),
    section(paint, 'Remains good, and the ways back', lines(blastRadius.remainsGood)),
    section(paint, 'What it means for clients', lines(forClients(statement))),
  ].join('\n\n');
}

export function revocationTable(paint: Paint, { revocations }: ListedRevocations): string {
  if (revocations.length === 0) return 'Nothing is revoked. Look before you do: keydctl revoke --dry-run';
  const rows = revocations.map((listed) => [
    listed.statement.id,
    listed.statement.incident,
    stateOf(paint, listed),
    shortInstant(listed.statement.at),
    listed.scope,
  ]);
  return table(paint, ['id', 'incident', 'state', 'made', 'scope'], rows);
}

export function revocationFacts(paint: Paint, listed: Listed): string {
  const { statement, digest, scope, liftedBy, keptUntil } = listed;
  return facts(paint, [
    ['id', paint.bold(statement.id)],
    ['scope', scope],
    ['state', stateOf(paint, listed)],
    ['incident', statement.incident],
    ['reason', statement.reason],
    ['made', `${shortInstant(statement.at)} by ${statement.author}`],
    ['last day', dayText(statement.to)],
    ['kept until', shortInstant(keptUntil)],
    ['digest', digest],
    ...(liftedBy === undefined
      ? []
      : ([
          ['lifted', `${shortInstant(liftedBy.at)} by ${liftedBy.author}`],
          ['lifted because', liftedBy.reason],
        ] as const)),
  ]);
}

function stateOf(paint: Paint, { liftedBy }: Listed): string {
  return liftedBy === undefined ? paint.green('in force') : paint.yellow('lifted');
}

function accepted({ acceptances: { count, first, last } }: BlastRadius): string {
  if (count === 0 || first === undefined || last === undefined) return 'no signature that was reported so far';
  return `${count} signature${count === 1 ? '' : 's'}, ${shortInstant(first)} to ${shortInstant(last)}`;
}

function accessKeys(paint: Paint, { accessKeys: found, accessKeyCount }: BlastRadius): string {
  if (found.length === 0) return '  No key was issued in this scope.';
  const rows = found.map(({ owner, dates, ...accessKey }) => [accessKeyText(accessKey), owner, runsOfDays(dates)]);
  return capped(table(paint, ['access key id', 'owner', 'days'], rows.slice(0, MOST_ROWS)), accessKeyCount);
}

function identities(paint: Paint, { identities: found }: BlastRadius): string {
  if (found.length === 0) return '  Nobody.';
  const rows = found.map(({ spiffeId, dates, lastIssuedAt }) => [
    spiffeId,
    runsOfDays(dates),
    shortInstant(lastIssuedAt),
  ]);
  return capped(table(paint, ['identity', 'days', 'last issued'], rows.slice(0, MOST_ROWS)), rows.length);
}

function capped(text: string, total: number): string {
  return total <= MOST_ROWS ? text : `${text}\n  ... ${total} in all; --json lists more`;
}
