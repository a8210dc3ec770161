import type { RevocationAnswer } from '@sigv4-keyd/hop-protocol';
import { element, type Child } from './element.js';
import { dayText } from './days.js';
import { counted, pathOf } from './words.js';

/** What a revocation hits, in words and lists; the cells are drawn in the grid. */
export function drawPreview({ scope, statement, published, blastRadius }: RevocationAnswer): Child[] {
  const { accessKeys, accessKeyCount, identities, acceptances, remainsGood } = blastRadius;
  const identityCount = blastRadius.identityCount ?? identities.length;
  return [
    element('h3', {}, published ? `${statement.incident} is published` : `${statement.incident} would revoke`),
    element('p', { class: 'scope' }, `${scope}.`),
    element(
      'p',
      {},
      `Issued for it: ${counted(accessKeyCount, 'access key')}, to ${counted(identityCount, 'identity', 'identities')}. ` +
        `Accepted signatures known of: ${acceptances.count.toLocaleString('en-GB')}.`,
    ),
    list(
      'Who was given keys of it',
      identities.map(({ spiffeId, dates }) => `${pathOf(spiffeId)}: ${dates.map(dayText).join(', ')}`),
      identityCount,
    ),
    list(
      'Access keys',
      accessKeys.map(({ accessKeyId, owner }) => `${accessKeyId} (${owner})`),
      accessKeyCount,
    ),
    list('What stays good, and the ways back', remainsGood, remainsGood.length),
  ];
}

function list(title: string, lines: readonly string[], count: number): Child {
  if (lines.length === 0) return undefined;
  const hidden = count - lines.length;
  return element(
    'details',
    {},
    element('summary', {}, `${title} (${count})`),
    element('ul', {}, ...lines.map((line) => element('li', {}, line))),
    hidden > 0 ? element('p', {}, `and ${hidden} more.`) : undefined,
  );
}
