import type { Overview } from '@sigv4-keyd/hop-protocol';
import { element, part, redraw, type Child } from './element.js';
import { drawBans } from './bans.js';
import { Dialog } from './dialog.js';
import { drawGrid } from './grid.js';
import { Incident } from './incident.js';
import type { Scope } from './incident-form.js';
import { drawLedger } from './ledger.js';
import { Lift } from './lift.js';
import { showReport } from './report.js';
import { drawRevocations } from './revocations.js';
import { Failure, openSession, readOverview } from './server.js';
import { ShutOut } from './shut-out.js';
import { drawSummary } from './summary.js';
import { drawTiers } from './tiers.js';
import { pathOf, span } from './words.js';

const POLL_EVERY_MS = 2_000;
/** Figures this old are marked as such. */
const STALE_AFTER_MS = 10_000;

let newest: { readonly overview: Overview; readonly readAt: number } | undefined;
let failure: string | undefined;

const dialog = new Dialog();
const report = (scope: Scope): void => void showReport(dialog, scope);
const changed = (): void => void look();

const incident = new Incident({ changed: () => newest && draw(newest.overview), published: changed, report });
const lift = new Lift(dialog, { operator: () => newest?.overview.operator, changed });
const shutOut = new ShutOut(dialog, {
  changed,
  revoke(spiffeId, incidentId, reason) {
    const [, role, region, service] = pathOf(spiffeId).split('/');
    const from = newest?.overview.today ?? '';
    incident.chooseFor({
      ...(role !== 'deputy' && region !== undefined && { region }),
      ...(role === 'edge' && service !== undefined && { service }),
      from,
      incident: incidentId,
      reason,
    });
  },
});

function drawPart(id: string, children: readonly Child[]): void {
  redraw(part(id, HTMLElement), element('div', {}, ...children));
}

function draw(overview: Overview): void {
  incident.offer(overview);
  drawPart(
    'grid',
    drawGrid(overview, incident.hits, (region, date) => incident.choose(region, date)),
  );
  drawPart('revocations', drawRevocations(overview, { report, lift: (id) => void lift.ask(id) }));
  drawPart(
    'tiers',
    drawTiers(overview, (spiffeId) => shutOut.askToBan(spiffeId)),
  );
  drawPart(
    'bans',
    drawBans(overview, (ban) => shutOut.askToLetIn(ban)),
  );
  drawPart('ledger', drawLedger(overview));
  drawPart('warnings', [element('ul', {}, ...overview.warnings.map((warning) => element('li', {}, warning)))]);
  part('warnings', HTMLElement).hidden = overview.warnings.length === 0;
}

function tellHow(): void {
  const trouble = part('trouble', HTMLElement);
  const ageMs = newest === undefined ? 0 : Date.now() - newest.readAt;
  const isStale = failure !== undefined && (newest === undefined || ageMs > STALE_AFTER_MS);
  document.body.classList.toggle('stale', isStale && newest !== undefined);
  const since = newest === undefined ? '' : ` What is shown is ${span(ageMs / 1000)} old.`;
  const text = isStale ? `${failure ?? ''}${since}` : '';
  if (trouble.textContent !== text) trouble.textContent = text;
  trouble.hidden = !isStale;
  if (newest === undefined) {
    if (isStale) part('summary', HTMLElement).textContent = 'Nothing could be read yet.';
    return;
  }
  redraw(part('summary', HTMLElement), drawSummary(newest.overview));
}

async function look(): Promise<void> {
  try {
    const overview = await readOverview();
    newest = { overview, readAt: Date.now() };
    failure = undefined;
    draw(overview);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failure = error.message;
  }
  tellHow();
}

/** A page that nobody sees asks nothing, and asks at once when it is seen again. */
function watch(): void {
  const next = (): void => void setTimeout(() => void beat(), POLL_EVERY_MS);
  const beat = async (): Promise<void> => {
    if (!document.hidden) await look().finally(next);
  };
  document.addEventListener('visibilitychange', () => void beat());
  void beat();
}

try {
  await openSession();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  failure = error.message;
}
watch();
