import type { Overview } from '@sigv4-keyd/hop-protocol';
import { element, type Child } from './element.js';
import { counted, pathOf } from './words.js';

/** The ledger of issuances: how large, what is signed, who has seen how much. */
export function drawLedger({ ledger }: Overview): Child[] {
  const { size, pending, checkpoint, seenBy } = ledger;
  return [
    element(
      'p',
      {},
      `${counted(size, 'record')} under the newest checkpoint`,
      pending === 0 ? '.' : `, ${counted(pending, 'record')} waiting for the next.`,
    ),
    checkpoint === undefined
      ? element('p', { class: 'empty' }, 'No checkpoint was signed yet.')
      : element(
          'pre',
          { id: 'checkpoint', tabindex: 0, 'aria-label': 'The newest checkpoint, a signed note' },
          checkpoint,
        ),
    seenBy.length === 0
      ? undefined
      : element(
          'ul',
          {},
          ...seenBy.map(({ spiffeId, size: seen }) =>
            element(
              'li',
              { class: seen > size ? 'bad' : '' },
              `${pathOf(spiffeId)} has seen ${counted(seen, 'record')}`,
              seen > size ? ': more than there are. The ledger was set back.' : '',
            ),
          ),
        ),
  ];
}
