import { createHash } from 'node:crypto';
import {
  createFeedKey,
  FeedState,
  intoPages,
  nameSet,
  pinFeedKeys,
  publicJwks,
  signAccessKeyPage,
  signBeacon,
  type AccessKeyChange,
  type FeedDocument,
} from '@sigv4-keyd/revocation';
import { addDays, DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { median } from './distribution.js';
import { machine } from './machine.js';
import { printTable } from './table.js';

/*
 * What changes of access keys cost those who follow the feed: run it as `npm run bench:access-keys`. It uses no
 * network: the cost of the feed on the way is its size.
 */
const COUNTS = [0, 1_000, 10_000, 100_000];
const ROUNDS = 9;
const LOOKUPS = 1_000_000;

const [revocation, beacon, root] = await Promise.all([
  createFeedKey('revocation'),
  createFeedKey('beacon'),
  createFeedKey('root'),
]);
const pinned = await pinFeedKeys(publicJwks([revocation, beacon, root]));
const now = Date.now();
const at = new Date(now).toISOString();
const to = addDays(scopeDateOf(now), 1);
let version = 0;

async function pagesOf(changes: readonly AccessKeyChange[]): Promise<readonly string[]> {
  return Promise.all(intoPages(changes).map((page) => signAccessKeyPage({ to, changes: page, at }, revocation)));
}

async function documentOf(statements: readonly string[]): Promise<FeedDocument> {
  version += 1;
  const expires = new Date(now + DAY_MS).toISOString();
  const content = { version, ...nameSet(statements), banned: [], at, expires };
  return { beacon: await signBeacon(content, beacon), statements };
}

/** As the ids that the master makes: 16 letters and digits by chance. */
function madeUp(index: number): AccessKeyChange {
  const letters = createHash('sha256').update(String(index)).digest('hex').slice(0, 16).toUpperCase();
  return { accessKeyId: `AKIA${letters}`, change: 90_000, status: 'disabled', secretVersion: 1 };
}

/** CPU milliseconds of this process, all threads. */
async function cpuOf(task: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function nanosecondsALookup(state: FeedState, ids: readonly string[]): number {
  const begun = performance.now();
  let known = 0;
  for (let index = 0; index < LOOKUPS; index += 1) {
    if (state.accessKeys.get(ids[(index * 7919) % ids.length] ?? '')) known += 1;
  }
  if (known > LOOKUPS) throw new Error('more were found than looked up');
  return ((performance.now() - begun) * 1e6) / LOOKUPS;
}

const others = Array.from({ length: 1_000 }, (_, index) => `AKIAGOOD${String(index).padStart(12, '0')}`);
const rows: string[][] = [];
for (const count of COUNTS) {
  const pages = await pagesOf(Array.from({ length: count }, (_, index) => madeUp(index)));
  const whole = await documentOf(pages);
  const state = FeedState.empty(pinned, { longestPresignedSeconds: 604_800, clockSkewSeconds: 900 });
  const first = await cpuOf(() => state.accept(whole, now));
  const further: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const more = await pagesOf([{ ...madeUp(1_000_000 + round), change: 90_001 + round }]);
    const next = await documentOf([...pages, ...more]);
    further.push(await cpuOf(() => state.accept(next, now)));
  }
  if (state.accessKeys.size < count) throw new Error('not all changes were accepted');
  rows.push([
    count.toLocaleString('en'),
    String(pages.length),
    (JSON.stringify(whole).length / 1e6).toFixed(2),
    first.toFixed(0),
    median(further).toFixed(1),
    nanosecondsALookup(state, others).toFixed(0),
  ]);
}
process.stdout.write(`${machine()}\n`);
printTable(
  'Changes of access keys in the feed, at one who follows it',
  ['changes', 'pages', 'feed, MB', 'first, CPU ms', 'one more, CPU ms', 'ns a lookup'],
  rows,
);
