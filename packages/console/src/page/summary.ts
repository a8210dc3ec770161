import type { Overview } from '@sigv4-keyd/hop-protocol';
import { element, type Child } from './element.js';
import { clockText, counted, pathOf } from './words.js';

/** The line at the top: how it stands, at a glance. */
export function drawSummary(overview: Overview): HTMLElement {
  const { at, accessKeys, operator } = overview;
  const keys = `${counted(accessKeys.enabled, 'access key')} enabled, ${accessKeys.disabled} disabled`;
  const texts: Child[] = [
    `As of ${clockText(at)}`,
    tiersText(overview),
    keys,
    counted(accessKeys.sessions, 'session'),
    operator === undefined ? undefined : `you are ${pathOf(operator)}`,
  ];
  const parts = texts.filter((text) => text !== undefined);
  return element('span', {}, ...parts.flatMap((text, place) => (place === 0 ? [text] : [' · ', text])));
}

/** Tiers that are not shown are up: those that are not come first. Who is shut out is not counted as silent, too. */
function tiersText({ tiers, tierCount, bans }: Overview): Child {
  const banned = new Set(bans.map(({ spiffeId }) => spiffeId));
  const shutOut = tiers.filter(({ spiffeId }) => banned.has(spiffeId)).length;
  const silent = tiers.filter(({ spiffeId, state }) => state !== 'up' && !banned.has(spiffeId)).length;
  const up = counted(tierCount - silent - shutOut, 'tier');
  if (silent + shutOut === 0) return `all ${up} up`;
  const wrong = [silent > 0 ? `${silent} silent` : '', shutOut > 0 ? `${shutOut} shut out` : ''].filter(Boolean);
  return element('strong', { class: 'bad' }, `${up} up, ${wrong.join(', ')}`);
}
