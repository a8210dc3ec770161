import type { Overview, RegionDay, RegionRow } from '@sigv4-keyd/hop-protocol';
import type { Hit, Hits } from './blast-radius.js';
import { element, type Child } from './element.js';
import { counted, dayText } from './words.js';

/**
 * Regions down, days across, the newest first: what was issued, who holds it, what is revoked, what a dry run would
 * hit.
 */
export function drawGrid(overview: Overview, hits: Hits, choose: (region: string, date: string) => void): Child[] {
  if (overview.regions.length === 0) {
    return [element('p', { class: 'empty' }, 'No region was given a key yet, and none has reported.')];
  }
  const heads = overview.days
    .toReversed()
    .map((date) =>
      element('th', { scope: 'col', class: dayClass(overview, date) }, dayText(date), dayNote(overview, date)),
    );
  const rows = overview.regions.map((row) => drawRow(overview, row, hits, choose));
  const hidden = overview.regionCount - overview.regions.length;
  return [
    element(
      'div',
      { id: 'grid-scroller', class: 'scroller', role: 'region', 'aria-label': 'Regions and days', tabindex: 0 },
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

function dayClass({ today }: Overview, date: string): string {
  return date === today ? 'today' : date > today ? 'tomorrow' : '';
}

function dayNote({ today }: Overview, date: string): Child {
  const note = date === today ? 'today' : date > today ? 'tomorrow' : undefined;
  return note && element('span', { class: 'note' }, note);
}

function drawRow(
  overview: Overview,
  row: RegionRow,
  hits: Hits,
  choose: (region: string, date: string) => void,
): Child {
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
  const { date, revoked, incidents } = day;
  const button = element(
    'button',
    {
      type: 'button',
      id: `cell-${region}-${date}`,
      title: incidents.length === 0 ? 'Revoke from this day on…' : incidents.join(', '),
    },
    ...drawHolding(day, edges.known, date > today),
    revoked === 'none' ? undefined : element('span', { class: 'mark' }, revokedText(day)),
    hit && element('span', { class: 'hit-text' }, hitText(hit)),
  );
  button.addEventListener('click', choose);
  return element('td', { class: cellClass(revoked, hit), 'data-cell': `${region}/${date}` }, button);
}

function drawHolding({ issued, edgesHolding, mostKeysHeld }: RegionDay, edges: number, isTomorrow: boolean): Child[] {
  if (issued === 0 && edgesHolding === 0 && !isTomorrow) return [element('span', { class: 'note' }, 'none issued')];
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

function cellClass(revoked: RegionDay['revoked'], hit: Hit | undefined): string {
  return [`revoked-${revoked}`, ...(hit === undefined ? [] : ['hit'])].join(' ');
}

function revokedText({ revoked, incidents }: RegionDay): string {
  return `${revoked === 'all' ? 'revoked' : 'partly revoked'}: ${incidents.join(', ')}`;
}

function hitText({ regions, edges, deputies }: Hit): string {
  const holders = [
    ...(deputies > 0 ? [counted(deputies, 'deputy', 'deputies')] : []),
    ...(regions > 0 ? [counted(regions, 'region')] : []),
    ...(edges > 0 ? [counted(edges, 'edge')] : []),
  ];
  return holders.length === 0 ? 'would be revoked: nobody was given keys' : `would be revoked: ${holders.join(', ')}`;
}
