import type { OpenRevocation, Overview } from '@sigv4-keyd/hop-protocol';
import { element, type Child } from './element.js';
import { clockText, counted, pathOf } from './words.js';

/** The revocations in force, and how far each has come. */
export function drawRevocations({ revocations, revocationCount }: Overview): Child[] {
  if (revocations.length === 0) return [element('p', { class: 'empty' }, 'Nothing is revoked.')];
  const hidden = revocationCount - revocations.length;
  return [
    element('ul', { class: 'revocations' }, ...revocations.map(drawRevocation)),
    hidden > 0
      ? element('p', {}, `${counted(hidden, 'older revocation')} not shown; keydctl revocation list has all.`)
      : undefined,
  ];
}

function drawRevocation({ id, incident, reason, scope, at, edges, waitingFor }: OpenRevocation): Child {
  const { concerned, reached } = edges;
  const isDone = reached === concerned;
  const others = concerned - reached - waitingFor.length;
  return element(
    'li',
    { 'data-revocation': id, class: isDone ? 'done' : 'under-way' },
    element('strong', {}, incident),
    ` ${reason}`,
    element('p', {}, `${scope}; made at ${clockText(at)} on ${at.slice(0, 10)}.`),
    element('progress', {
      max: Math.max(1, concerned),
      value: concerned === 0 ? 1 : reached,
      'aria-label': `${incident} has reached ${reached} of ${concerned} edges`,
    }),
    element('p', {}, `In force at ${reached} of ${counted(concerned, 'edge')} that it concerns.`),
    isDone
      ? undefined
      : element(
          'p',
          { class: 'note' },
          `Not confirmed yet: ${waitingFor.map(pathOf).join(', ')}${others > 0 ? ` and ${others} more` : ''}.`,
        ),
  );
}
