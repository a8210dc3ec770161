import type { IdentityBan, Overview } from '@sigv4-keyd/hop-protocol';
import { element, type Child } from './element.js';
import { clockText, counted, instantDay, pathOf } from './words.js';

/** Who is shut out, why, and the way back. */
export function drawBans({ bans, banCount }: Overview, letIn: (ban: IdentityBan) => void): Child[] {
  if (bans.length === 0) return [element('p', { class: 'empty' }, 'Nobody is shut out.')];
  const hidden = banCount - bans.length;
  return [
    element(
      'ul',
      { class: 'rows' },
      ...bans.map((ban) => {
        const { spiffeId, reason, by, at } = ban;
        const button = element('button', { type: 'button', id: `let-in-${spiffeId}` }, 'Let back in…');
        button.addEventListener('click', () => letIn(ban));
        return element(
          'li',
          { 'data-ban': spiffeId },
          element(
            'div',
            { class: 'row-head' },
            element('div', {}, element('strong', {}, pathOf(spiffeId)), ` ${reason}`),
            element('div', { class: 'actions' }, button),
          ),
          element('p', { class: 'note' }, `By ${pathOf(by)} on ${instantDay(at)} at ${clockText(at)}.`),
        );
      }),
    ),
    hidden > 0 ? element('p', {}, `${counted(hidden, 'more')} not shown; keydctl identity list has all.`) : undefined,
  ];
}
