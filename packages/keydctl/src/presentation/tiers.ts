import { REPORT_EVERY_MS, type KeyGauges, type ListedBans, type StatusAnswer } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { span } from './age.js';
import { pathOf } from './path-of.js';
import { table } from './table.js';

/** A tier that said nothing for so long is called silent: four reports are missing. */
const SILENT_AFTER_MS = 4 * REPORT_EVERY_MS;
/** A feed that is older is past the soft horizon, unless told otherwise. */
const OLD_FEED_MS = 60_000;
/** Less than this is little time to mend what is down, seconds. */
const SHORT_SECONDS = 3_600;

const HEADINGS = ['tier', 'state', 'feed', 'goes on alone', 'tomorrow', 'certificate', 'up for', 'version'] as const;

interface Tier {
  readonly spiffeId: string;
  /** Absent: never. */
  readonly heardAt?: string | undefined;
  readonly report?:
    | {
        readonly startedAt: string;
        readonly version: string;
        readonly certificateExpiresAt: string;
        readonly feed?: { readonly at: string } | undefined;
        readonly keys?: KeyGauges | undefined;
      }
    | undefined;
}

/** A line for each tier, those below it indented: what is wrong is red. */
export function tiersText(paint: Paint, status: StatusAnswer, { bans }: ListedBans): string {
  const now = Date.parse(status.at);
  const banned = new Set(bans.map(({ spiffeId }) => spiffeId));
  const row = (tier: Tier, depth: number): string[] => [
    `${'  '.repeat(depth)}${pathOf(tier.spiffeId)}`,
    banned.has(tier.spiffeId) ? paint.red('shut out') : stateOf(paint, tier.heardAt, now),
    ...reported(paint, tier.report, now),
  ];
  return table(paint, HEADINGS, [
    ...status.masters.map(({ spiffeId, heardAt, ...report }) => row({ spiffeId, heardAt, report }, 0)),
    ...status.deputies.map((deputy) => row(deputy, 1)),
    ...status.regions.flatMap((region) => [row(region, 1), ...region.edges.map((edge) => row(edge, 2))]),
  ]);
}

function stateOf(paint: Paint, heardAt: string | undefined, now: number): string {
  if (heardAt === undefined) return paint.red('never heard of');
  const age = now - Date.parse(heardAt);
  return age <= SILENT_AFTER_MS ? paint.green('up') : paint.red(`silent for ${span(age)}`);
}

function reported(paint: Paint, report: Tier['report'], now: number): string[] {
  if (report === undefined) return ['-', '-', '-', '-', '-', '-'];
  const { feed, keys, certificateExpiresAt, startedAt, version } = report;
  return [
    feed === undefined ? '-' : feedAge(paint, now - Date.parse(feed.at)),
    keys === undefined ? '-' : alone(paint, keys),
    keys === undefined ? '-' : tomorrow(paint, keys),
    certificate(paint, Date.parse(certificateExpiresAt) - now),
    span(now - Date.parse(startedAt)),
    version,
  ];
}

function feedAge(paint: Paint, ageMs: number): string {
  const age = `${span(Math.max(0, ageMs))} old`;
  return ageMs > OLD_FEED_MS ? paint.red(age) : age;
}

function alone(paint: Paint, { keysHeld, autonomySeconds }: KeyGauges): string {
  if (keysHeld === 0) return 'no keys';
  const text = span(autonomySeconds * 1_000);
  return autonomySeconds < SHORT_SECONDS ? paint.red(text) : text;
}

function tomorrow(paint: Paint, { prefetchLag }: KeyGauges): string {
  if (prefetchLag.accessKeys === 0) return 'nothing missing';
  return paint.red(`${prefetchLag.accessKeys} missing for ${span(prefetchLag.seconds * 1_000)}`);
}

function certificate(paint: Paint, leftMs: number): string {
  return leftMs > 0 ? `${span(leftMs)} left` : paint.red(`expired ${span(leftMs)} ago`);
}
