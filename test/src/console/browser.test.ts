import { addDays } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import {
  barriersOn,
  browser,
  cell,
  complaintsOf,
  focused,
  isNarrow,
  opened,
  picture,
  runningConsole,
  skip,
  styleOf,
} from './console-in-browser.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { watchedMaster } from './watched-master.js';

t.setTimeout(170_000);

const REASON = 'edge host broken into';

t.test('from the link to a revoked cell, without a mouse', { skip }, async (t) => {
  const watched = await watchedMaster(t);
  const { report, today, master } = watched;
  await report(1);
  const link = await runningConsole(t, watched.call);
  const context = await (await browser()).newContext({ colorScheme: 'light', viewport: { width: 1180, height: 880 } });
  const page = await opened(context, link);
  const complaints = complaintsOf(page);

  await page.waitForSelector(cell('us-east-1', today));
  t.equal(new URL(page.url()).hash, '', 'nothing of the link stays in the address');
  t.match(await page.textContent(cell('us-east-1', today)), /2 keys.*3 of 3 edges/);
  t.match(await page.textContent(cell('us-east-1', addDays(today, 1))), /1 of 3 edges.*2 fetched ahead/);
  t.match(
    await page.textContent('#tiers'),
    /\/master\/m1.*\/deputy\/deputy-1.*granted 2026-11-22 to 2026-11-23.*\/edge\/us-east-1\/s3\/e1/,
  );
  const identities = "[...document.querySelectorAll('#tiers tbody th')].map((head) => head.textContent)";
  t.same(
    (await page.evaluate<string[]>(identities)).map((identity) => identity.split('/').slice(1, 3).join(' ')),
    [
      ...['master m1', 'deputy deputy-1'],
      ...['region eu-west-1', ...Array<string>(3).fill('edge eu-west-1')],
      ...['region us-east-1', ...Array<string>(3).fill('edge us-east-1')],
    ],
    'edges stand below their region',
  );
  t.match(await page.textContent('#summary'), /all 10 tiers up.*2 access keys enabled.*you are \/operator\/alice/);
  t.match(await page.textContent('#revocations'), /Nothing is revoked/);

  await page.focus(`${cell('us-east-1', today)} button`);
  await page.keyboard.press('Enter');
  t.equal(await focused(page), 'incident-id', 'the cell fills in the form, and leads to what is missing');
  await page.keyboard.press('Enter');
  t.match(await page.textContent('#incident-problem'), /Still missing: the incident id, the reason/);
  await page.keyboard.type('INC-7');
  await page.keyboard.press('Tab');
  await page.keyboard.type(REASON);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#confirm');
  const marked = (): Promise<string[]> =>
    page.evaluate<string[]>("[...document.querySelectorAll('td.hit')].map((cell) => cell.dataset.cell)");
  t.same(await marked(), [`us-east-1/${today}`], 'the dry run is drawn in the cells that it hits');
  t.match(await page.textContent('td.hit'), /would be revoked.*1 region, 3 edges/);
  t.match(await page.textContent('#preview'), /Issued for it: 2 access keys, to 4 identities/);
  t.notOk(await page.$('td.revoked-all'), 'nothing was done yet');
  t.equal(await focused(page), 'confirm-word');
  await page.click('#preview summary');
  t.same(await barriersOn(page), [], 'no barriers');
  await picture(page, 'dry-run');
  for (const wrong of ['INC-8', 'inc-7', 'yes']) {
    await page.fill('#confirm-word', wrong);
    t.ok(await page.$('#confirm-go:disabled'), wrong);
    await page.keyboard.press('Enter');
  }
  t.same((await watched.keydctl('revocation', 'list'))['revocations'], [], 'another word revokes nothing');
  await page.fill('#reason', 'another reason');
  t.notOk(await page.$('#confirm'), 'a change of the form begins anew');
  t.same(await marked(), []);
  await page.fill('#reason', REASON);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#confirm-word');
  await page.keyboard.type('INC-7');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#preview h3:text-is("INC-7 is published")');

  await report(1);
  await page.waitForSelector(`${cell('us-east-1', today)}.revoked-all`);
  const struck = await styleOf(page, '.revoked-all .issued', 'textDecorationLine');
  t.equal(struck, 'line-through');
  t.ok(await page.$(`${cell('eu-west-1', today)}.revoked-none`));
  t.match(await page.textContent('#revocations'), /INC-7 edge host broken into.*In force at 0 of 3 edges/);
  t.match(await page.textContent(cell('us-east-1', today)), /INC-7.*3 of 3 edges open/);
  await picture(page, 'revoked');
  await page.focus(`${cell('eu-west-1', today)} button`);
  await report(await watched.feedVersion(), { behind: ['us-east-1/s3/e1'] });
  await page.waitForSelector(`${cell('us-east-1', today)} progress.left[value="1"]`);
  t.match(await page.textContent(cell('us-east-1', today)), /1 of 3 edges open/, 'it shrinks as edges confirm');
  await picture(page, 'shrinking');
  await report(await watched.feedVersion());
  await page.waitForSelector('#revocations .done');
  t.match(await page.textContent('#revocations'), /In force at 3 of 3 edges/);
  t.match(await page.textContent(cell('us-east-1', today)), /INC-7.*at all edges/);
  t.equal(await focused(page), `cell-eu-west-1-${today}`, 'who stands on a cell stays on it while figures change');

  const again = await opened(await (await browser()).newContext(), link);
  await again.waitForSelector('#trouble:not([hidden])');
  t.match(await again.textContent('#trouble'), /Open the console by the link|This link is not good/);
  t.equal(await again.textContent('#grid'), '', 'the same link opens nothing for another');

  await master.service.close();
  // Whatever failed once is not yet worth a word.
  await page.clock.fastForward(15_000);
  await page.waitForSelector('body.stale');
  t.match(await page.textContent('#trouble'), /out of reach.*What is shown is \d+ s old/);
  t.ok(await page.$(`${cell('us-east-1', today)}.revoked-all`), 'what was known stays shown');
  const ours = complaints.filter((line) => !/status of 50\d/.test(line));
  t.same(ours, [], 'and the page has nothing to complain of');
});

t.test('dark, light, and as narrow as a phone', { skip }, async (t) => {
  const watched = await watchedMaster(t);
  await watched.report(1);
  await watched.keydctl(
    ...['revoke', '--region', 'us-east-1', '--from', watched.today],
    ...['--incident', 'INC-7', '--reason', REASON, '--yes'],
  );
  await watched.report(await watched.feedVersion(), { without: 'us-east-1/s3/e2', behind: ['us-east-1/s3/e1'] });
  const papers = new Set<string>();
  for (const [colorScheme, width, name] of [
    ['dark', 1180, 'overview-dark'],
    ['light', 360, 'phone-light'],
    ['dark', 360, 'phone-dark'],
  ] as const) {
    const context = await (await browser()).newContext({ colorScheme, viewport: { width, height: 800 } });
    const page = await opened(context, await runningConsole(t, watched.call));
    await page.waitForSelector(cell('us-east-1', watched.today));
    t.ok(await isNarrow(page), `${name}: the page does not scroll sideways`);
    papers.add(await styleOf(page, 'body', 'backgroundColor'));
    await page.keyboard.press('Tab');
    t.ok(await page.$('.skip:focus'), `${name}: begins with a way past`);
    await page.keyboard.press('Tab');
    const outline = await styleOf(page, ':focus', 'outlineStyle');
    t.equal(outline, 'solid', `${name}: where the keyboard is can be seen`);
    t.same(await barriersOn(page), [], `${name}: no barriers`);
    const unnamed = await page.evaluate<number>(
      "[...document.querySelectorAll('button, input, select, progress')]" +
        ".filter((one) => !one.textContent && !one.ariaLabel && !one.closest('label')).length",
    );
    t.equal(unnamed, 0, `${name}: every control has a name`);
    await page.evaluate('document.activeElement.blur()');
    await picture(page, name);
    await context.close();
  }
  t.equal(papers.size, 2);
});

t.test('no link, and a master that has nothing to show', { skip }, async (t) => {
  const watched = await watchedMaster(t);
  const link = await runningConsole(t, watched.call);
  const page = await opened(await (await browser()).newContext(), link.replace(/#.*/, ''));
  await page.waitForSelector('#trouble:not([hidden])');
  t.match(await page.textContent('#trouble'), /Open the console by the link/);
  t.match(await page.textContent('#summary'), /Nothing could be read yet/);
});

t.test('a client certificate in place of a link, at the master itself', { skip }, async (t) => {
  const watched = await watchedMaster(t);
  await watched.report(1);
  const { cert, key } = await watched.master.authority.filesOf({ role: 'operator', name: 'bob' });
  const context = await (
    await browser()
  ).newContext({
    // The authority is one of this test alone.
    ignoreHTTPSErrors: true,
    clientCertificates: [{ origin: watched.url, certPath: cert, keyPath: key }],
  });
  const page = await opened(context, `${watched.url}/console/`);
  const complaints = complaintsOf(page);
  await page.click(`${cell('eu-west-1', watched.today)} button`);
  t.match(await page.textContent('#summary'), /you are \/operator\/bob/);
  await page.fill('#incident-id', 'INC-7');
  await page.fill('#reason', REASON);
  await page.click('#look');
  await page.fill('#confirm-word', 'INC-7');
  await page.click('#confirm-go');
  await page.waitForSelector('#preview h3:text-is("INC-7 is published")');
  const { revocations } = await watched.keydctl('revocation', 'list');
  t.match(revocations, [{ statement: { incident: 'INC-7', author: `spiffe://${TRUST_DOMAIN}/operator/bob` } }]);
  t.same(complaints, []);
});
