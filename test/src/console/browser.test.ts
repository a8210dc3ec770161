import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { addDays } from '@sigv4-keyd/sigv4-core';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { keydctl } from '../keydctl/keydctl-under-test.js';
import { watchedMaster, type WatchedMaster } from './watched-master.js';

t.setTimeout(170_000);

const CHROMIUM = process.env['KEYD_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
/** The folder that the pictures of the docs are written to; absent: none are. */
const PICTURES = process.env['KEYD_TEST_PICTURES'];
const PICTURE_HEIGHT = 880;
const PATIENCE_MS = 60_000;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const skip = existsSync(CHROMIUM) ? false : `SKIPPED: no ${CHROMIUM} (apt-get install chromium)`;

let launched: Promise<Browser> | undefined;
/** One for all tests; each has windows of its own, which share nothing. */
function browser(): Promise<Browser> {
  launched ??= chromium.launch({ executablePath: CHROMIUM, args: FLAGS, timeout: PATIENCE_MS });
  return launched;
}
t.teardown(async () => (await launched)?.close());

/** `keydctl console` as an operator runs it; the link that it printed. */
async function runningConsole(t: Test, { call }: WatchedMaster): Promise<string> {
  const interruption = new AbortController();
  let ended: Promise<unknown> = Promise.resolve();
  t.teardown(async () => {
    interruption.abort();
    await ended;
  });
  return new Promise((resolve) => {
    const onOutput = (text: string): void => {
      const [link] = /http:\S+/.exec(text) ?? [];
      if (link !== undefined) resolve(link);
    };
    ended = keydctl(['console'], { ...call, interruption: interruption.signal, onOutput });
  });
}

/** What a page complains of: errors of its own, and what its policy kept out. */
function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return complaints;
}

async function opened(context: BrowserContext, link: string): Promise<Page> {
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(link);
  return page;
}

/** The top of a page, as the docs show it. */
async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  const { width } = page.viewportSize() ?? { width: 0 };
  const clip = { x: 0, y: 0, width, height: PICTURE_HEIGHT };
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true, clip });
}

const isNarrow = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

const styleOf = (page: Page, selector: string, property: string): Promise<string> =>
  page.evaluate<string>(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`);

const cell = (region: string, date: string): string => `[data-cell="${region}/${date}"]`;

t.test('from the link to a revoked cell, without a mouse', { skip }, async (t) => {
  const watched = await watchedMaster(t);
  const { report, today, master } = watched;
  await report(1);
  const link = await runningConsole(t, watched);
  const context = await (await browser()).newContext({ colorScheme: 'light', viewport: { width: 1180, height: 800 } });
  const page = await opened(context, link);
  const complaints = complaintsOf(page);

  await page.waitForSelector(cell('us-east-1', today));
  t.equal(new URL(page.url()).hash, '', 'nothing of the link stays in the address');
  t.match(await page.textContent(cell('us-east-1', today)), /2 keys.*3 of 3 edges/);
  t.match(await page.textContent(cell('us-east-1', addDays(today, 1))), /1 of 3 edges.*2 fetched ahead/);
  t.match(await page.textContent('#tiers'), /\/master\/m1.*\/edge\/us-east-1\/s3\/e1/);
  t.match(await page.textContent('#summary'), /2 access keys enabled/);
  t.match(await page.textContent('#revocations'), /Nothing is revoked/);

  await page.focus(`${cell('us-east-1', today)} button`);
  await page.keyboard.press('Enter');
  const focused = (): Promise<string> => page.evaluate<string>('document.activeElement?.id');
  t.equal(await focused(), 'incident-id', 'the cell fills in the form, and leads to what is missing');
  await page.keyboard.press('Enter');
  t.match(await page.textContent('#incident-problem'), /Still missing: the incident id, the reason/);
  await page.keyboard.type('INC-7');
  await page.keyboard.press('Tab');
  await page.keyboard.type('edge <b>broken</b> into');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#confirmation');
  const marked = (): Promise<string[]> =>
    page.evaluate<string[]>("[...document.querySelectorAll('td.hit')].map((cell) => cell.dataset.cell)");
  t.same(await marked(), [`us-east-1/${today}`], 'the dry run is drawn in the cells that it hits');
  t.match(await page.textContent('td.hit'), /would be revoked: 1 region, 3 edges/);
  t.match(await page.textContent('#preview'), /Issued for it: 2 access keys, to 4 identities/);
  t.notOk(await page.$('td.revoked-all'), 'nothing was done yet');
  t.equal(await focused(), 'confirm-id');
  await page.click('#preview summary');
  await picture(page, 'dry-run');
  for (const wrong of ['INC-8', 'inc-7', 'yes']) {
    await page.fill('#confirm-id', wrong);
    t.ok(await page.$('#confirm:disabled'), wrong);
    await page.keyboard.press('Enter');
  }
  t.same((await watched.keydctl('revocation', 'list'))['revocations'], [], 'another word revokes nothing');
  await page.fill('#reason', 'another reason');
  t.notOk(await page.$('#confirmation'), 'a change of the form begins anew');
  t.same(await marked(), []);
  await page.fill('#reason', 'edge <b>broken</b> into');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#confirm-id');
  await page.keyboard.type('INC-7');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#preview h3:text-is("INC-7 is published")');

  await report(1);
  await page.waitForSelector(`${cell('us-east-1', today)}.revoked-all`);
  const struck = await styleOf(page, '.revoked-all .issued', 'textDecorationLine');
  t.equal(struck, 'line-through');
  t.ok(await page.$(`${cell('eu-west-1', today)}.revoked-none`));
  t.match(await page.textContent('#revocations'), /INC-7 edge <b>broken<\/b> into.*In force at 0 of 3 edges/);
  t.notOk(await page.$('#revocations b'), 'text is text');
  await picture(page, 'revoked');
  await page.focus(`${cell('eu-west-1', today)} button`);
  await report(await watched.feedVersion());
  await page.waitForSelector('#revocations .done');
  t.match(await page.textContent('#revocations'), /In force at 3 of 3 edges/);
  t.equal(await focused(), `cell-eu-west-1-${today}`, 'who stands on a cell stays on it while figures change');

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
    ...['--incident', 'INC-7', '--reason', 'edge broken into', '--yes'],
  );
  await watched.report(1, 'us-east-1/s3/e2');
  const papers = new Set<string>();
  for (const [colorScheme, width, name] of [
    ['dark', 1180, 'overview-dark'],
    ['light', 360, 'phone-light'],
    ['dark', 360, 'phone-dark'],
  ] as const) {
    const context = await (await browser()).newContext({ colorScheme, viewport: { width, height: 800 } });
    const page = await opened(context, await runningConsole(t, watched));
    await page.waitForSelector(cell('us-east-1', watched.today));
    t.ok(await isNarrow(page), `${name}: the page does not scroll sideways`);
    papers.add(await styleOf(page, 'body', 'backgroundColor'));
    await page.keyboard.press('Tab');
    t.ok(await page.$('.skip:focus'), `${name}: begins with a way past`);
    await page.keyboard.press('Tab');
    const outline = await styleOf(page, ':focus', 'outlineStyle');
    t.equal(outline, 'solid', `${name}: where the keyboard is can be seen`);
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
  const link = await runningConsole(t, watched);
  const page = await opened(await (await browser()).newContext(), link.replace(/#.*/, ''));
  await page.waitForSelector('#trouble:not([hidden])');
  t.match(await page.textContent('#trouble'), /Open the console by the link/);
  t.match(await page.textContent('#summary'), /Nothing could be read yet/);
});
