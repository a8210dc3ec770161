import type { IncidentReport } from '@sigv4-keyd/hop-protocol';
import type { Dialog } from './dialog.js';
import { download } from './download.js';
import { element, type Child } from './element.js';
import type { Scope } from './incident-form.js';
import { incidentPage } from './report-page.js';
import { readIncidentReport } from './server.js';
import { dayText } from './days.js';
import { counted, instantText, pathOf } from './words.js';

/** Shows what fell into a scope, and hands the whole report out as a file. */
export async function showReport(dialog: Dialog, scope: Scope): Promise<void> {
  dialog.open('Incident report', element('p', { class: 'note' }, 'Counting…'));
  const report = await dialog.ask(() => readIncidentReport(scope));
  if (report === undefined) return;
  const name = ['incident-report', scope.region, scope.service, scope.accessKeyId, dayText(report.from)]
    .filter((one) => one !== undefined)
    .join('-');
  dialog.show(
    element('p', {}, `${report.scope}. As of ${instantText(report.at)}.`),
    figures(report),
    list(
      'Accepted, by edge',
      report.accepted.byEdge.map(({ edge, count }) => `${pathOf(edge)}: ${counted(count, 'signature')}`),
    ),
    list(
      'Accepted, by access key',
      report.accepted.byAccessKey.map(
        ({ accessKeyId, owner, count, revoked }) =>
          `${accessKeyId} (${owner}): ${counted(count, 'signature')}${revoked ? ', revoked' : ''}`,
      ),
    ),
    list('Notes', report.notes),
    element(
      'p',
      { class: 'actions' },
      saving('report-html', 'Download as a page (HTML)', () =>
        download(`${name}.html`, 'text/html', incidentPage(report)),
      ),
      saving('report-json', 'Download for programs (JSON)', () =>
        download(`${name}.json`, 'application/json', `${JSON.stringify(report, undefined, 2)}\n`),
      ),
    ),
  );
}

function figures({ accepted, outside, blastRadius }: IncidentReport): Child {
  const figure = (name: string, count: number): Child =>
    element('div', {}, element('dt', {}, name), element('dd', {}, count.toLocaleString('en-GB')));
  return element(
    'dl',
    { class: 'figures' },
    figure('signatures accepted in it', accepted.count),
    figure('accepted outside it: good', outside.count),
    figure('access keys issued in it', blastRadius.accessKeyCount),
    figure('identities that were given them', blastRadius.identityCount ?? blastRadius.identities.length),
  );
}

function list(title: string, lines: readonly string[]): Child {
  if (lines.length === 0) return undefined;
  return element(
    'details',
    {},
    element('summary', {}, `${title} (${lines.length})`),
    element('ul', {}, ...lines.map((line) => element('li', {}, line))),
  );
}

function saving(id: string, title: string, save: () => void): HTMLButtonElement {
  const button = element('button', { id, type: 'button' }, title);
  button.addEventListener('click', save);
  return button;
}
