import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { incidentPage } from '@sigv4-keyd/console';
import { incidentReport } from '@sigv4-keyd/hop-protocol';
import { exportFeedKey } from '@sigv4-keyd/revocation';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { keydctlJson } from '../keydctl/keydctl-under-test.js';
import { sharedFeedKeys } from '../master-keyd/master-under-test.js';
import { createFeedKeys, type FeedKeys } from '../revocation/publisher.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import {
  barriersOn,
  browser,
  complaintsOf,
  focused,
  opened,
  picture,
  runningConsole,
  skip,
} from './console-in-browser.js';
import { watchedMaster, type WatchedMaster } from './watched-master.js';

t.setTimeout(170_000);

/** What somebody could have had written into a record, to see who takes it for markup. */
const HOSTILE = '<img src=x onerror="alert(1)"><b>bold</b> &lt;';
const EDGE = `spiffe://${TRUST_DOMAIN}/edge/us-east-1/s3/e1`;

async function consoleOf(t: Test, watched: WatchedMaster): Promise<Page> {
  const context = await (await browser()).newContext({ colorScheme: 'light', viewport: { width: 1180, height: 880 } });
  t.teardown(() => context.close());
  const page = await opened(context, await runningConsole(t, watched.call));
  await page.waitForSelector('.grid');
  return page;
}

/** Nothing is done for another word; for the right one it is. */
async function confirm(t: Test, page: Page, id: string, word: string): Promise<void> {
  await page.waitForSelector(`#${id}-word`);
  for (const wrong of ['', `${word}x`, word.toLowerCase() === word ? word.toUpperCase() : word.toLowerCase()]) {
    await page.fill(`#${id}-word`, wrong);
    await page.press(`#${id}-word`, 'Enter');
    t.ok(await page.$(`#${id}-go:disabled`), `${id}: ${wrong}`);
  }
  await page.fill(`#${id}-word`, word);
  await page.press(`#${id}-word`, 'Enter');
}

const bansOf = async ({ keydctl }: WatchedMaster): Promise<unknown> => (await keydctl('identity', 'list'))['bans'];

t.test('an edge is shut out, and let back in', { skip }, async (t) => {
  const watched = await watchedMaster(t);
  await watched.report(1);
  const page = await consoleOf(t, watched);
  const complaints = complaintsOf(page);
  const tier = page.locator('tr', { hasText: '/edge/us-east-1/s3/e1' });
  t.equal(await page.locator('tr', { hasText: '/master/m1' }).locator('button').count(), 0, 'a master cannot be');

  await tier.locator('button').click();
  t.match(await page.textContent('#dialog'), /Shut out \/edge\/us-east-1\/s3\/e1\s[^]*What it holds already it keeps/);
  await page.click('#ban-next');
  t.match(await page.textContent('#dialog-problem'), /Give an incident id/);
  await page.fill('#ban-incident', 'INC-9');
  await page.fill('#ban-reason', 'edge host broken into');
  await page.click('#ban-next');
  await page.waitForSelector('#confirm-ban');
  t.same(await barriersOn(page), [], 'no barriers');
  await picture(page, 'shut-out', 'seen');
  await page.fill('#ban-reason', HOSTILE);
  t.notOk(await page.$('#confirm-ban'), 'a change of the reason begins anew');
  await page.click('#ban-next');
  await page.keyboard.press('Escape');
  t.notOk(await page.$('dialog[open]'));
  t.equal(await focused(page), `ban-${EDGE}`, 'back where it was opened');
  t.same(await bansOf(watched), [], 'nothing was done yet');

  await tier.locator('button').click();
  await page.fill('#ban-incident', 'INC-9');
  await page.fill('#ban-reason', HOSTILE);
  await page.press('#ban-reason', 'Enter');
  await confirm(t, page, 'confirm-ban', 'INC-9');
  await page.waitForSelector('#ban-revoke');
  const reason = `INC-9: ${HOSTILE}`;
  t.match(await bansOf(watched), [{ spiffeId: EDGE, reason, by: `spiffe://${TRUST_DOMAIN}/operator/alice` }]);
  await page.click('#ban-revoke');
  t.equal(await page.inputValue('#region'), 'us-east-1', 'what it was given is a step away');
  t.equal(await page.inputValue('#service'), 's3');
  t.equal(await page.inputValue('#incident-id'), 'INC-9');

  await watched.report(1);
  await page.waitForSelector('[data-ban]');
  t.ok((await page.textContent('#bans'))?.includes(reason), 'text is shown as text');
  t.notOk(await page.$('#bans img, #bans b, #incident b'), 'and is nothing else');
  t.match(await tier.textContent(), /shut out/);
  t.match(await page.textContent('#summary strong'), /9 tiers up, 1 shut out/);
  t.equal(await tier.locator('button').count(), 0);
  const scope = ['--region', 'us-east-1', '--service', 's3', '--from', watched.today];
  await watched.keydctl('revoke', ...scope, '--incident', 'INC-9', '--reason', 'lost', '--yes');
  await watched.report(1);
  await page.waitForSelector('#revocations .under-way');
  t.match(
    await page.textContent('#revocations'),
    'Not confirmed yet: /edge/us-east-1/s3/e1 (shut out), /edge/us-east-1/s3/e2.',
  );

  await page.click('[data-ban] button');
  t.ok((await page.textContent('#dialog'))?.includes(HOSTILE));
  await confirm(t, page, 'confirm-unban', 'INC-9');
  await page.waitForSelector('#dialog p.good');
  t.same(await bansOf(watched), []);
  await page.click('#dialog-close');
  await watched.report(1);
  await page.waitForSelector('#bans .empty');

  await watched.keydctl('identity', 'ban', EDGE, '--reason', 'by the command line');
  await watched.report(1);
  await page.click('[data-ban] button');
  await confirm(t, page, 'confirm-unban', '/edge/us-east-1/s3/e1');
  await page.waitForSelector('#dialog p.good');
  t.same(await bansOf(watched), [], 'without an incident the identity is typed');
  t.same(complaints, []);
});

/** The lift that `keydctl revocation lift sign` makes of a request, on the machine with the root key. */
async function signed(t: Test, request: string, { root }: FeedKeys, name: string): Promise<string> {
  const key = join(t.testdirName, `${name}.jwk`);
  const out = join(t.testdirName, `${name}.jws`);
  await writeFile(key, JSON.stringify(exportFeedKey(root)));
  await keydctlJson(['revocation', 'lift', 'sign', request, '--root-key', key, '--out', out], { env: {} });
  return out;
}

t.test('a revocation is lifted by the root key alone, which the browser never sees', { skip }, async (t) => {
  t.testdir();
  const watched = await watchedMaster(t);
  await watched.report(1);
  const revoke = async (incident: string, reason: string): Promise<string> => {
    const scope = ['--region', 'us-east-1', '--from', watched.today];
    const made = await watched.keydctl('revoke', ...scope, '--incident', incident, '--reason', reason, '--yes');
    return (made['statement'] as { readonly id: string }).id;
  };
  const id = await revoke('INC-7', 'edge host broken into');
  const other = await revoke('INC-8', 'an access key was published');
  await watched.report(1);
  const page = await consoleOf(t, watched);
  const complaints = complaintsOf(page);

  const request = async (of: string): Promise<string> => {
    await page.click(`[id="lift-${of}"]`);
    await page.waitForSelector('#lift-reason');
    await page.fill('#lift-reason', 'the wrong region');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#lift-download')]);
    const file = join(t.testdirName, download.suggestedFilename());
    await download.saveAs(file);
    return file;
  };
  const ofOther = await signed(t, await request(other), await sharedFeedKeys(), 'other');
  await page.click('#dialog-close');
  const file = await request(id);
  t.match(file, /lift-INC-7\.json$/);
  const good = await signed(t, file, await sharedFeedKeys(), 'good');
  const forged = await signed(t, file, await createFeedKeys(), 'forged');
  t.same(await barriersOn(page), [], 'no barriers');
  await picture(page, 'lift', 'seen');

  const problem = async (): Promise<string | null> => {
    await page.waitForSelector('#dialog-problem:not([hidden])');
    return page.textContent('#dialog-problem');
  };
  await page.setInputFiles('#lift-file', file);
  t.match(await problem(), /no signed lift/);
  await page.setInputFiles('#lift-file', ofOther);
  await page.waitForSelector('#dialog-problem:text("takes back another revocation")');
  t.notOk(await page.$('#confirm-lift'));
  await page.setInputFiles('#lift-file', forged);
  await confirm(t, page, 'confirm-lift', 'INC-7');
  t.match(await problem(), /jws: unknown-key/, 'another root key lifts nothing');
  await page.setInputFiles('#lift-file', good);
  await page.waitForSelector('#dialog p:text("Asked for by /operator/alice: the wrong region")');
  await confirm(t, page, 'confirm-lift', 'INC-7');
  await page.waitForSelector('#dialog p.good:text("INC-7 is lifted")');

  const { revocations } = (await watched.keydctl('revocation', 'list')) as {
    readonly revocations: readonly { readonly statement: { readonly id: string }; readonly liftedBy?: unknown }[];
  };
  t.same(
    revocations.filter(({ liftedBy }) => liftedBy !== undefined).map(({ statement }) => statement.id),
    [id],
  );
  await watched.report(1);
  await page.waitForSelector(`[data-revocation="${id}"]`, { state: 'detached' });
  t.ok(await page.$(`[data-revocation="${other}"]`));

  const hostile = await revoke('INC-9', HOSTILE);
  await watched.report(1);
  await page.click('#dialog-close');
  await page.waitForSelector(`[data-revocation="${hostile}"]`);
  await page.click(`[id="lift-${hostile}"]`);
  await page.waitForSelector('#lift-reason');
  for (const part of ['#revocations', '#dialog']) {
    t.ok((await page.textContent(part))?.includes(HOSTILE), `${part}: a reason is shown as text`);
    t.notOk(await page.$(`${part} img, ${part} b`), `${part}: and is nothing else`);
  }
  t.same(
    complaints.filter((line) => !line.includes('status of 400')),
    [],
  );
});

t.test('a report on a scope: its figures, a page, and JSON', { skip }, async (t) => {
  const watched = await watchedMaster(t);
  const { accessKeyId } = await watched.keydctl('access-key', 'create', '--owner', HOSTILE);
  const region = await watched.master.region('us-east-1', 'r2');
  await region.issue({ date: watched.today, accessKeyIds: [...watched.accessKeyIds, String(accessKeyId)] });
  await watched.report(1);
  const page = await consoleOf(t, watched);
  const complaints = complaintsOf(page);
  await page.fill('#from', '');
  await page.click('#report');
  t.match(await page.textContent('#incident-problem'), /Still missing: the first day/);
  await page.click(`[id="cell-us-east-1-${watched.today}"]`);
  await page.click('#report');
  await page.waitForSelector('#report-html');
  t.match(await page.textContent('#dialog-body'), /in region us-east-1.*signatures accepted in it/);
  t.same(await barriersOn(page), [], 'no barriers');
  await picture(page, 'report', 'seen');
  const saved = async (id: string): Promise<{ readonly name: string; readonly text: string }> => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`#${id}`)]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
  };
  const json = await saved('report-json');
  const html = await saved('report-html');
  t.match(json.name, /^incident-report-us-east-1-\d{4}-\d\d-\d\d\.json$/);
  t.match(html.name, /^incident-report-us-east-1-\d{4}-\d\d-\d\d\.html$/);
  const report = incidentReport.parse(JSON.parse(json.text));
  t.ok(report.blastRadius.accessKeys.some(({ owner }) => owner === HOSTILE));
  t.equal(html.text, incidentPage(report), 'the page that keydctl writes');
  t.notMatch(html.text, /<img|<b\b/);
  t.same(complaints, []);
});
