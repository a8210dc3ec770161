import { existsSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { keydctl, type Call } from '../keydctl/keydctl-under-test.js';

const CHROMIUM = process.env['KEYD_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
/** The folder that the pictures of the docs are written to; absent: none are. */
const PICTURES = process.env['KEYD_TEST_PICTURES'];
const PICTURE_HEIGHT = 960;
export const PATIENCE_MS = 60_000;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why tests in a browser are skipped here. */
export const skip = existsSync(CHROMIUM) ? false : `SKIPPED: no ${CHROMIUM} (apt-get install chromium)`;

let launched: Promise<Browser> | undefined;
/** One for all tests of a file; each has windows of its own, which share nothing. */
export function browser(): Promise<Browser> {
  launched ??= chromium.launch({ executablePath: CHROMIUM, args: FLAGS, timeout: PATIENCE_MS });
  return launched;
}
t.teardown(async () => (await launched)?.close());

/** `keydctl console` as an operator runs it; the link that it printed. */
export async function runningConsole(t: Test, call: Call): Promise<string> {
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
export function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return complaints;
}

export async function opened(context: BrowserContext, link: string): Promise<Page> {
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(link);
  return page;
}

/** The page as the docs show it: its top, or what is seen while a window is open over it. */
export async function picture(page: Page, name: string, part: 'top' | 'seen' = 'top'): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  const { width } = page.viewportSize() ?? { width: 0 };
  const path = join(PICTURES, `${name}.png`);
  const clip = { x: 0, y: 0, width, height: PICTURE_HEIGHT };
  await page.screenshot(part === 'top' ? { path, fullPage: true, clip } : { path });
}

export const isNarrow = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

export const styleOf = (page: Page, selector: string, property: string): Promise<string> =>
  page.evaluate<string>(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`);

export const focused = (page: Page): Promise<string> => page.evaluate<string>('document.activeElement?.id');

export const cell = (region: string, date: string): string => `[data-cell="${region}/${date}"]`;

/** What axe-core has against the page as it is drawn now, by the rules of WCAG 2.2 AA. */
export async function barriersOn(page: Page): Promise<readonly string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  return page.evaluate<string[]>(`(async () => {
    ${axe};
    const { violations } = await axe.run(document, { runOnly: ${JSON.stringify(tags)} });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ': ' + node.html + ' ' + node.failureSummary));
  })()`);
}
