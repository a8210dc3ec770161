import type { Overview, TierRow } from '@sigv4-keyd/hop-protocol';
import { belowTheirRegions } from './below-their-regions.js';
import { runsOfDays } from './days.js';
import { cells, element, type Child } from './element.js';
import { age, counted, pathOf, span } from './words.js';

/** Less than this is little time to mend what is down, seconds. */
const SHORT_SECONDS = 3_600;
/** An edge raises its alarm at this age of the feed, unless told otherwise: the soft horizon, milliseconds. */
const OLD_FEED_MS = 60_000;

const COLUMNS = ['Tier', 'State', 'Holds', 'Goes on alone', 'Feed', 'Certificate', 'Version'] as const;
const DEPTHS = { master: 0, deputy: 1, region: 1, edge: 2 } as const;

/** Every tier: whether it is well, what it holds, for how long it goes on alone, how old its news are. */
export function drawTiers(overview: Overview, askToBan: (spiffeId: string) => void): Child[] {
  const banned = new Set(overview.bans.map(({ spiffeId }) => spiffeId));
  const rows = belowTheirRegions(overview.tiers).map((tier) =>
    drawTier(overview, tier, banned.has(tier.spiffeId), askToBan),
  );
  const hidden = overview.tierCount - overview.tiers.length;
  return [
    element(
      'div',
      { id: 'tiers-scroller', class: 'scroller', role: 'region', 'aria-label': 'Table of tiers', tabindex: 0 },
      element(
        'table',
        { class: 'tiers' },
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ...cells('th', ...COLUMNS),
            element('th', { scope: 'col' }, element('span', { class: 'unseen' }, 'Action')),
          ),
        ),
        element('tbody', {}, ...rows),
      ),
    ),
    hidden > 0 ? element('p', {}, `${counted(hidden, 'more tier')} not shown: these are better off.`) : undefined,
  ];
}

function drawTier(
  { at }: Overview,
  tier: TierRow,
  isBanned: boolean,
  askToBan: (spiffeId: string) => void,
): HTMLTableRowElement {
  const { spiffeId, role, certificateExpiresAt, version } = tier;
  return element(
    'tr',
    { class: `depth-${DEPTHS[role]}` },
    element('th', { scope: 'row' }, pathOf(spiffeId)),
    stateCell(tier, isBanned, at),
    cell('Holds', holdsText(tier)),
    aloneCell(tier),
    feedCell(tier, at),
    cell(
      'Certificate',
      certificateExpiresAt && certificateText(certificateExpiresAt, at),
      certificateExpiresAt !== undefined && certificateExpiresAt <= at,
    ),
    cell('Version', version),
    element('td', { class: 'actions' }, role === 'master' || isBanned ? undefined : banButton(spiffeId, askToBan)),
  );
}

function banButton(spiffeId: string, askToBan: (spiffeId: string) => void): HTMLButtonElement {
  const name = element('span', { class: 'unseen' }, ` ${pathOf(spiffeId)}`);
  const button = element('button', { type: 'button', id: `ban-${spiffeId}` }, 'Shut out…', name);
  button.addEventListener('click', () => askToBan(spiffeId));
  return button;
}

/** `label`: the head of its column, for where columns have no room. */
function cell(label: (typeof COLUMNS)[number], text: string | undefined, isBad = false): HTMLTableCellElement {
  return element(
    'td',
    { 'data-label': label, class: isBad ? 'bad' : text === undefined ? 'nothing' : '' },
    text ?? '-',
  );
}

function stateCell({ state, heardAt }: TierRow, isBanned: boolean, at: string): Child {
  const text = isBanned
    ? 'shut out'
    : { up: 'up', silent: `silent for ${age(heardAt ?? at, at)}`, unknown: 'never heard of' }[state];
  const isGood = state === 'up' && !isBanned;
  return element('td', { 'data-label': 'State', class: isGood ? 'state good' : 'state bad' }, text);
}

function holdsText({ role, keysHeld, grantedDays = [] }: TierRow): string | undefined {
  const granted = grantedDays.length === 0 ? 'no day granted' : `granted ${runsOfDays(grantedDays)}`;
  const keys = keysHeld === undefined ? undefined : counted(keysHeld, 'key');
  return role === 'deputy' ? [keys, granted].filter((text) => text !== undefined).join(', ') : keys;
}

function aloneCell({ autonomySeconds, keysHeld, missingTomorrow = 0 }: TierRow): Child {
  if (autonomySeconds === undefined || keysHeld === 0) return cell('Goes on alone', undefined);
  const missing = missingTomorrow > 0 ? `; ${counted(missingTomorrow, 'key')} of tomorrow missing` : '';
  return cell(
    'Goes on alone',
    `${span(autonomySeconds)}${missing}`,
    autonomySeconds < SHORT_SECONDS || missingTomorrow > 0,
  );
}

function feedCell({ feed }: TierRow, at: string): Child {
  if (feed === undefined) return cell('Feed', undefined);
  return cell('Feed', `${age(feed.at, at)} old`, Date.parse(at) - Date.parse(feed.at) > OLD_FEED_MS);
}

function certificateText(expiresAt: string, at: string): string {
  return expiresAt <= at ? 'expired' : `${age(at, expiresAt)} left`;
}
