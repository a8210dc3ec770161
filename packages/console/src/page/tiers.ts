import type { Overview, TierRow } from '@sigv4-keyd/hop-protocol';
import { cells, element, type Child } from './element.js';
import { age, counted, pathOf, span } from './words.js';

/** Less than this is little time to mend what is down, seconds. */
const SHORT_SECONDS = 3_600;
/** An edge raises its alarm at this age of the feed, unless told otherwise: the soft horizon, milliseconds. */
const OLD_FEED_MS = 60_000;

/** Every tier: whether it is well, for how long it goes on alone, how old its news are. */
export function drawTiers(overview: Overview): Child[] {
  const rows = overview.tiers.map((tier) => drawTier(overview, tier));
  const hidden = overview.tierCount - overview.tiers.length;
  return [
    element(
      'div',
      { id: 'tiers-scroller', class: 'scroller', role: 'region', 'aria-label': 'Tiers', tabindex: 0 },
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element('tr', {}, ...cells('th', 'Tier', 'State', 'Alone', 'Feed', 'Certificate', 'Version')),
        ),
        element('tbody', {}, ...rows),
      ),
    ),
    hidden > 0 ? element('p', {}, `${counted(hidden, 'more tier')} not shown: these are better off.`) : undefined,
  ];
}

function drawTier({ at }: Overview, tier: TierRow): Child {
  const { spiffeId, role, heardAt, certificateExpiresAt, version } = tier;
  const depth = { master: 0, deputy: 1, region: 1, edge: 2 }[role];
  return element(
    'tr',
    { class: `depth-${depth}` },
    element('th', { scope: 'row' }, pathOf(spiffeId)),
    stateCell(tier, at),
    aloneCell(tier),
    feedCell(tier, at),
    element(
      'td',
      { class: certificateExpiresAt !== undefined && certificateExpiresAt <= at ? 'bad' : '' },
      certificateExpiresAt === undefined ? '-' : certificateText(certificateExpiresAt, at),
    ),
    element('td', { title: heardAt ?? '' }, version ?? '-'),
  );
}

function stateCell({ state, heardAt }: TierRow, at: string): Child {
  const text = {
    up: 'up',
    silent: `silent for ${age(heardAt ?? at, at)}`,
    unknown: 'never heard of',
  }[state];
  return element('td', { class: state === 'up' ? 'good' : 'bad' }, text);
}

function aloneCell({ autonomySeconds, missingTomorrow = 0 }: TierRow): Child {
  if (autonomySeconds === undefined) return element('td', {}, '-');
  const missing = missingTomorrow > 0 ? `; ${counted(missingTomorrow, 'key')} of tomorrow missing` : '';
  const isBad = autonomySeconds < SHORT_SECONDS || missingTomorrow > 0;
  return element('td', { class: isBad ? 'bad' : '' }, `${span(autonomySeconds)}${missing}`);
}

function feedCell({ feed }: TierRow, at: string): Child {
  if (feed === undefined) return element('td', {}, '-');
  const isOld = Date.parse(at) - Date.parse(feed.at) > OLD_FEED_MS;
  return element('td', { class: isOld ? 'bad' : '', title: `beacon ${feed.version}` }, `${age(feed.at, at)} old`);
}

function certificateText(expiresAt: string, at: string): string {
  return expiresAt <= at ? 'expired' : `${age(at, expiresAt)} left`;
}
