import type { OpenRevocation, Overview } from '@sigv4-keyd/hop-protocol';
import { element, type Child } from './element.js';
import type { Scope } from './incident-form.js';
import { clockText, counted, instantDay, pathOf } from './words.js';

interface RevocationListeners {
  readonly lift: (id: string) => void;
  readonly report: (scope: Scope) => void;
}

/** The revocations in force, and how far each has come. */
export function drawRevocations({ revocations, revocationCount, bans }: Overview, on: RevocationListeners): Child[] {
  const banned = new Set(bans.map(({ spiffeId }) => spiffeId));
  if (revocations.length === 0) return [element('p', { class: 'empty' }, 'Nothing is revoked.')];
  const hidden = revocationCount - revocations.length;
  return [
    element('ul', { class: 'rows' }, ...revocations.map((revocation) => drawRevocation(revocation, banned, on))),
    hidden > 0
      ? element('p', {}, `${counted(hidden, 'older revocation')} not shown; keydctl revocation list has all.`)
      : undefined,
  ];
}

function drawRevocation(revocation: OpenRevocation, banned: ReadonlySet<string>, on: RevocationListeners): Child {
  const { id, incident, reason, scope, at, edges, waitingFor } = revocation;
  const { concerned, reached } = edges;
  const isDone = reached === concerned;
  const others = concerned - reached - waitingFor.length;
  return element(
    'li',
    { 'data-revocation': id, class: isDone ? 'done' : 'under-way' },
    element(
      'div',
      { class: 'row-head' },
      element('div', {}, element('strong', {}, incident), ` ${reason}`),
      element('div', { class: 'actions' }, ...buttons(revocation, on)),
    ),
    element('p', { class: 'note' }, `${scope}; made on ${instantDay(at)} at ${clockText(at)}.`),
    element('progress', {
      max: Math.max(1, concerned),
      value: concerned === 0 ? 1 : reached,
      'aria-label': `${incident} has reached ${reached} of ${concerned} edges`,
    }),
    element('p', { class: isDone ? 'good' : '' }, `In force at ${reached} of ${counted(concerned, 'edge')}.`),
    isDone
      ? undefined
      : element(
          'p',
          { class: 'note' },
          `Not confirmed yet: ${waitingFor.map((edge) => whoWaits(edge, banned)).join(', ')}` +
            `${others > 0 ? ` and ${others} more` : ''}.`,
        ),
  );
}

/** Whom its region does not talk to any more cannot confirm by way of it. */
function whoWaits(spiffeId: string, banned: ReadonlySet<string>): string {
  return `${pathOf(spiffeId)}${banned.has(spiffeId) ? ' (shut out)' : ''}`;
}

function buttons({ id, incident, from, to, region, service, accessKeyId }: OpenRevocation, on: RevocationListeners) {
  const report = element('button', { type: 'button', id: `report-${id}` }, 'Report', hidden(` on ${incident}`));
  if (from !== undefined) {
    report.addEventListener('click', () => on.report({ from, to, region, service, accessKeyId }));
  }
  const lift = element('button', { type: 'button', id: `lift-${id}` }, 'Lift…', hidden(` ${incident}`));
  lift.addEventListener('click', () => on.lift(id));
  return from === undefined ? [lift] : [report, lift];
}

/** For who hears the page. */
function hidden(text: string): Child {
  return element('span', { class: 'unseen' }, text);
}
