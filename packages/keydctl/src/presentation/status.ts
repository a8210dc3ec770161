import { dayText } from '@sigv4-keyd/console';
import type { ListedBans, StatusAnswer } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { ago } from './age.js';
import { parentsText } from './parents.js';
import { pathOf } from './path-of.js';
import { table } from './table.js';
import { tiersText } from './tiers.js';

interface HeldDay {
  readonly date: string;
  readonly keys: number;
  readonly fetchedAt: string;
}

/** What is up, which tier holds keys for which days, and how old they are. Warnings come last, where eyes are. */
export function statusText(paint: Paint, status: StatusAnswer & ListedBans): string {
  const now = Date.parse(status.at);
  const parts = [
    tiersText(paint, status, status),
    parentsText(paint, status, now),
    heldKeys(paint, status, now),
    issued(paint, status, now),
    accessKeys(status),
    ...status.warnings.map((warning) => paint.red(warning)),
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function heldKeys(paint: Paint, status: StatusAnswer, now: number): string {
  const deputies = status.deputies.flatMap(({ spiffeId, report }) => heldRows(spiffeId, report?.heldDays ?? [], now));
  const regions = status.regions.flatMap((region) => [
    ...heldRows(region.spiffeId, region.report?.heldDays ?? [], now),
    ...region.edges.flatMap((edge) => heldRows(edge.spiffeId, edge.report.heldDays, now)),
  ]);
  const rows = [...deputies, ...regions];
  if (rows.length === 0) return 'No tier below the master holds keys yet: none has been asked for.';
  return table(paint, ['holds keys', 'day', 'keys', 'fetched'], rows);
}

function heldRows(identity: string, days: readonly HeldDay[], now: number): string[][] {
  return days.map(({ date, keys, fetchedAt }) => [pathOf(identity), dayText(date), String(keys), ago(fetchedAt, now)]);
}

function issued(paint: Paint, status: StatusAnswer, now: number): string {
  const rows = [...status.deputies, ...status.regions].flatMap((taker) =>
    taker.issued.map(({ date, accessKeys: count, lastIssuedAt }) => [
      pathOf(taker.spiffeId),
      dayText(date),
      String(count),
      ago(lastIssuedAt, now),
    ]),
  );
  if (rows.length === 0) return 'Nothing was issued yet.';
  return table(paint, ['issued to', 'day', 'access keys', 'last'], rows);
}

function accessKeys({ accessKeys: { enabled, disabled, sessions, changesInFeed } }: StatusAnswer): string {
  return `Access keys: ${enabled} enabled, ${disabled} disabled; sessions: ${sessions}; changes in the feed: ${changesInFeed}.`;
}
