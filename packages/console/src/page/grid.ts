import type { Overview, RegionDay, RegionRow } from '@sigv4-keyd/hop-protocol';
import type { Hit, Hits } from './blast-radius.js';
import { dayHead, dayText } from './days.js';
import { element, type Child } from './element.js';
import { counted } from './words.js';

type Choose = (region: string, date: string) => void;

/**
 * Regions down, days across, the newest first: what was issued, who holds it, what is revoked, how far that has come,
 * what a dry run would hit.
 */
export function drawGrid(overview: Overview, hits: Hits, choose: Choose): Child[] {
  if (overview.regions.length === 0) {
    return [element('p', { class: 'empty' }, 'No region was given a key yet, and none has reported.')];
  }
  const heads = overview.days.toReversed().map((date) => drawHead(overview, date));
  const rows = overview.regions.map((row) => drawRow(overview, row, hits, choose));
  const hidden = overview.regionCount - overview.regions.length;
  return [
    element(
      'div',
      {
        id: 'grid-scroller',
        class: 'scroller',
        role: 'region',
        'aria-label': 'Table of regions and days',
        tabindex: 0,
      },
      element(
        'table',
        { class: 'grid' },
        element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Region'), ...heads)),
        element('tbody', {}, ...rows),
      ),
    ),
    hidden > 0 ? element('p', {}, `${counted(hidden, 'more region')} not shown; keydctl status lists all.`) : undefined,
  ];
}

function drawHead({ today }: Overview, date: string): Child {
  const { weekday, day } = dayHead(date);
  const relation = date === today ? 'today' : date > today ? 'tomorrow' : undefined;
  return element(
    'th',
    { scope: 'col', class: relation ?? '' },
    element('span', { class: 'note' }, relation ?? weekday),
    element('span', { class: 'day', title: dayText(date) }, day),
  );
}

function drawRow(overview: Overview, row: RegionRow, hits: Hits, choose: Choose): Child {
  const { region, replicas, edges, days } = row;
  return element(
    'tr',
    {},
    element(
      'th',
      { scope: 'row' },
      region,
      element('span', { class: replicas.up < replicas.known ? 'note bad' : 'note' }, upText(replicas, 'replica')),
      element('span', { class: edges.up < edges.known ? 'note bad' : 'note' }, upText(edges, 'edge')),
    ),
    ...days
      .toReversed()
      .map((day) => drawCell(overview, row, day, hits(region, day.date), () => choose(region, day.date))),
  );
}

function upText({ known, up }: RegionRow['edges'], one: string): string {
  return up === known ? counted(known, one) : `${up} of ${counted(known, one)} up`;
}

function drawCell(
  { today }: Overview,
  { region, edges }: RegionRow,
  day: RegionDay,
  hit: Hit | undefined,
  choose: () => void,
): Child {
  const { date, revoked, incidents, confirmed } = day;
  const isUnderWay = confirmed !== undefined && confirmed.reached < confirmed.concerned;
  const button = element(
    'button',
    {
      type: 'button',
      id: `cell-${region}-${date}`,
      title: incidents.length === 0 ? 'Revoke from this day on…' : incidents.join(', '),
    },
    element('span', { class: 'unseen' }, `${region} on ${dayText(date)}: `),
    ...drawHolding(day, edges.known, date > today),
    ...(revoked === 'none' ? [] : drawRevoked(day)),
    ...(hit === undefined ? [] : drawHit(hit)),
  );
  button.addEventListener('click', choose);
  const states = [`revoked-${revoked}`, ...(isUnderWay ? ['under-way'] : []), ...(hit === undefined ? [] : ['hit'])];
  return element('td', { class: states.join(' '), 'data-cell': `${region}/${date}` }, button);
}

function drawHolding({ issued, edgesHolding, mostKeysHeld }: RegionDay, edges: number, isTomorrow: boolean): Child[] {
  if (issued === 0 && edgesHolding === 0 && !isTomorrow) return [element('span', { class: 'none' }, 'none issued')];
  return [
    element('span', { class: 'issued' }, issued === 0 ? 'none issued' : counted(issued, 'key')),
    element('span', { class: 'note' }, `${edgesHolding} of ${counted(edges, 'edge')}`),
    element('progress', {
      max: Math.max(1, edges),
      value: edgesHolding,
      'aria-label': `${edgesHolding} of ${edges} edges hold keys of this day`,
    }),
    isTomorrow && mostKeysHeld > 0
      ? element('span', { class: 'note' }, `${mostKeysHeld.toLocaleString('en-GB')} fetched ahead`)
      : undefined,
  ];
}

function drawRevoked({ revoked, incidents, confirmed }: RegionDay): Child[] {
  const [first = '', ...others] = incidents;
  const mark = element(
    'span',
    { class: 'mark' },
    element('span', { class: 'unseen' }, revoked === 'all' ? 'revoked: ' : 'partly revoked: '),
    others.length === 0 ? first : `${first} +${others.length}`,
  );
  return [mark, ...(confirmed === undefined ? [] : drawLeft(confirmed))];
}

/** The blast radius shrinks as edges confirm: the bar is what is left of it. */
function drawLeft({ concerned, reached }: NonNullable<RegionDay['confirmed']>): Child[] {
  const left = concerned - reached;
  if (left === 0) return [element('span', { class: 'note' }, concerned === 0 ? 'no edge to tell' : 'at all edges')];
  return [
    element('span', { class: 'note bad' }, `${left} of ${counted(concerned, 'edge')} open`),
    element('progress', {
      class: 'left',
      max: concerned,
      value: left,
      'aria-label': `${left} of ${concerned} edges have not confirmed it yet`,
    }),
  ];
}

function drawHit({ regions, edges, deputies }: Hit): Child[] {
  const holders = [
    ...(deputies > 0 ? [counted(deputies, 'deputy', 'deputies')] : []),
    ...(regions > 0 ? [counted(regions, 'region')] : []),
    ...(edges > 0 ? [counted(edges, 'edge')] : []),
  ];
  return [
    element('span', { class: 'hit-text' }, 'would be revoked'),
    element('span', { class: 'hit-note' }, holders.length === 0 ? 'nobody was given keys' : holders.join(', ')),
  ];
}
