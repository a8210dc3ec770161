import { REPORT_EVERY_MS, type StatusAnswer } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { ago, span } from './age.js';
import { autonomyText } from './autonomy.js';
import { parentsText } from './parents.js';
import { table } from './table.js';

/** A tier that missed this many reports is called silent. */
const MISSED_REPORTS = 4;

interface Report {
  readonly startedAt: string;
  readonly version: string;
  readonly certificateExpiresAt: string;
}
interface HeldDay {
  readonly date: string;
  readonly keys: number;
  readonly fetchedAt: string;
}

/** What is up, which tier holds keys for which days, and how old they are. */
export function statusText(paint: Paint, status: StatusAnswer): string {
  const now = Date.parse(status.at);
  const parts = [
    tiers(paint, status, now),
    parentsText(paint, status, now),
    heldKeys(paint, status, now),
    autonomyText(paint, status),
    issued(paint, status, now),
    accessKeys(status),
    ...status.warnings.map((warning) => paint.red(warning)),
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function tiers(paint: Paint, status: StatusAnswer, now: number): string {
  const row = (identity: string, depth: number, heardAt: string | undefined, report: Report | undefined): string[] => [
    `${'  '.repeat(depth)}${pathOf(identity)}`,
    state(paint, heardAt, now),
    report === undefined ? '-' : span(now - Date.parse(report.startedAt)),
    report?.version ?? '-',
    report === undefined ? '-' : certificate(paint, report.certificateExpiresAt, now),
  ];
  const rows = [
    ...status.masters.map((master) => row(master.spiffeId, 0, master.heardAt, master)),
    ...status.deputies.map((deputy) => row(deputy.spiffeId, 1, deputy.heardAt, deputy.report)),
    ...status.regions.flatMap((region) => [
      row(region.spiffeId, 1, region.heardAt, region.report),
      ...region.edges.map((edge) => row(edge.spiffeId, 2, edge.heardAt, edge.report)),
    ]),
  ];
  return table(paint, ['tier', 'state', 'up for', 'version', 'certificate'], rows);
}

function heldKeys(paint: Paint, status: StatusAnswer, now: number): string {
  const deputies = status.deputies.flatMap(({ spiffeId, report }) => heldRows(spiffeId, report?.heldDays ?? [], now));
  const regions = status.regions.flatMap((region) => [
    ...heldRows(region.spiffeId, region.report?.heldDays ?? [], now),
    ...region.edges.flatMap((edge) => heldRows(edge.spiffeId, edge.report.heldDays, now)),
  ]);
  const rows = [...deputies, ...regions];
  if (rows.length === 0) return 'No tier below the master holds keys yet: none has been asked for.';
  return table(paint, ['holder', 'day', 'keys', 'fetched'], rows);
}

function heldRows(identity: string, days: readonly HeldDay[], now: number): string[][] {
  return days.map(({ date, keys, fetchedAt }) => [pathOf(identity), date, String(keys), ago(fetchedAt, now)]);
}

function issued(paint: Paint, status: StatusAnswer, now: number): string {
  const rows = [...status.deputies, ...status.regions].flatMap((taker) =>
    taker.issued.map((day) => [pathOf(taker.spiffeId), day.date, String(day.accessKeys), ago(day.lastIssuedAt, now)]),
  );
  if (rows.length === 0) return 'Nothing was issued yet.';
  return table(paint, ['issued to', 'day', 'access keys', 'last'], rows);
}

function accessKeys({ accessKeys: { enabled, disabled, sessions, changesInFeed } }: StatusAnswer): string {
  return `Access keys: ${enabled} enabled, ${disabled} disabled, ${sessions} sessions; the feed tells of changes of ${changesInFeed}.`;
}

function state(paint: Paint, heardAt: string | undefined, now: number): string {
  if (heardAt === undefined) return paint.red('never heard of');
  const age = now - Date.parse(heardAt);
  return age <= MISSED_REPORTS * REPORT_EVERY_MS ? paint.green('up') : paint.red(`silent for ${span(age)}`);
}

function certificate(paint: Paint, expiresAt: string, now: number): string {
  const left = Date.parse(expiresAt) - now;
  return left > 0 ? `${span(left)} left` : paint.red(`expired ${span(left)} ago`);
}

/** The trust domain is the same for all; what differs is the path. */
function pathOf(spiffeId: string): string {
  return spiffeId.replace(/^spiffe:\/\/[^/]*/, '');
}
