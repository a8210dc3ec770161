import type { IncidentReport } from '@sigv4-keyd/hop-protocol';
import { accessKeyText } from './access-key-text.js';
import { html, type Html } from './html.js';
import { INCIDENT_STYLE } from './report-style.js';
import { dayText, runsOfDays } from './days.js';
import { instantText } from './words.js';

/** An incident report as one HTML page without anything from outside: it can be mailed, printed and archived. */
export function incidentPage(report: IncidentReport): string {
  const { accepted, outside, blastRadius } = report;
  return `${
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
          <title>Incident report: ${report.scope}</title>
          <style>
            ${INCIDENT_STYLE}
          </style>
        </head>
        <body>
          <h1>Incident report</h1>
          <p>${report.scope}</p>
          <p class="quiet">As of ${instantText(report.at)}, by sigv4-keyd.</p>
          <dl>
            ${tile('accepted in the scope', accepted.count, span(accepted))}
            ${tile('accepted outside it: good', outside.count, span(outside))}
            ${tile('access keys issued in it', blastRadius.accessKeyCount, html`to regions and edges: ${blastRadius.identityCount ?? blastRadius.identities.length}`)}
            ${tile('roll-ups missing', report.dropped, html`${report.dropped === 0 ? 'counts are complete' : 'lower bounds'}`)}
          </dl>
          <h2>Issued to</h2>
          ${table(
            ['Identity', 'Days', 'First issued', 'Last issued'],
            blastRadius.identities.map(({ spiffeId, dates, firstIssuedAt, lastIssuedAt }) => [
              spiffeId,
              runsOfDays(dates),
              instantText(firstIssuedAt),
              instantText(lastIssuedAt),
            ]),
          )}
          <h2>Access keys issued</h2>
          ${table(
            ['Access key id', 'Owner', 'Days'],
            blastRadius.accessKeys.map(({ owner, dates, ...accessKey }) => [
              accessKeyText(accessKey),
              owner,
              runsOfDays(dates),
            ]),
          )}
          <h2>Accepted, by access key</h2>
          ${table(
            ['Access key id', 'Owner', 'Count', 'First', 'Last', 'Now'],
            accepted.byAccessKey.map(({ owner, count, revoked, ...accessKey }) => [
              accessKeyText(accessKey),
              owner,
              String(count),
              ...instants(accessKey),
              revoked ? 'revoked' : 'not revoked',
            ]),
          )}
          <h2>Accepted, by edge</h2>
          ${table(
            ['Edge', 'Region', 'Service', 'Count', 'First', 'Last'],
            accepted.byEdge.map(({ edge, region, service, count, ...times }) => [
              edge,
              region,
              service,
              String(count),
              ...instants(times),
            ]),
          )}
          <h2>Accepted, by day</h2>
          ${table(
            ['Signed on (UTC)', 'Region', 'Count', 'First', 'Last'],
            accepted.byDay.map(({ scopeDate, region, count, ...times }) => [
              dayText(scopeDate),
              region,
              String(count),
              ...instants(times),
            ]),
          )}
          <h2>Revocations that hit this scope</h2>
          ${table(
            ['Incident', 'State', 'Scope', 'Id'],
            report.revocations.map(({ id, incident, scope, lifted }) => [
              incident,
              lifted ? 'lifted' : 'in force',
              scope,
              id,
            ]),
          )}
          <h2>Remains good</h2>
          ${list(blastRadius.remainsGood)}
          <h2>Ways back to service</h2>
          ${list(report.waysBack)}
          <h2>Each single request</h2>
          <p>Over the logs of the edges:</p>
          <pre>${report.logQuery}</pre>
          <h2>Notes</h2>
          ${list(report.notes)}
        </body>
      </html>`.html
  }\n`;
}

interface Times {
  readonly first?: string | undefined;
  readonly last?: string | undefined;
}

function tile(name: string, count: number, detail: Html): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${count.toLocaleString('en-GB')}</dd>
    <dd class="quiet">${detail}</dd>
  </div>`;
}

function span({ first, last }: Times): Html {
  if (first === undefined || last === undefined) return html`none`;
  return html`${instantText(first)} to ${instantText(last)}`;
}

function instants({ first, last }: Times): readonly string[] {
  return [first, last].map((instant) => (instant === undefined ? '-' : instantText(instant)));
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): Html {
  if (rows.length === 0) return html`<p class="quiet">None.</p>`;
  const head = headings.map((heading) => html`<th scope="col">${heading}</th>`);
  const body = rows.map(
    (row) =>
      html`<tr>
        ${row.map((cell) => html`<td>${cell}</td>`)}
      </tr>`,
  );
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}

function list(sentences: readonly string[]): Html {
  return html`<ul>
    ${sentences.map((sentence) => html`<li>${sentence}</li>`)}
  </ul>`;
}
