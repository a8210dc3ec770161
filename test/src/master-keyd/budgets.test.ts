import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  ACCESS_KEY_IMPORT_PATH,
  errorCodeOf,
  mtlsKeySource,
  PeerClient,
  REGION_KEYS,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { NOON, startMaster, TODAY, type MasterUnderTest } from './master-under-test.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

const HONEST = 'spiffe://keyd.test/region/eu-west-1/honest';
const BAD = 'spiffe://keyd.test/region/us-east-1/bad';

interface Masters {
  readonly database: string;
  readonly clock: VirtualClock;
  readonly masters: readonly MasterUnderTest[];
  readonly start: (name: string) => Promise<MasterUnderTest>;
  /** Shows this region's certificate. */
  readonly dispatcherOf: (region: string, name: string) => Promise<Dispatcher>;
}

/** Two masters over one database whose clock stands still: no budget grows again unless a test lets it. */
async function setUp(t: Test, env: Readonly<Record<string, string>>): Promise<Masters> {
  const database = await freshDatabase(t);
  const clock = new VirtualClock(NOON);
  const custodyKey = randomBytes(32);
  const authority = await TestAuthority.create(t.testdir());
  const start = (name: string): Promise<MasterUnderTest> =>
    startMaster(t, { database, clock, custodyKey, authority, name, env });
  const masters = [await start('m1'), await start('m2')];
  const operator = await masters[0]?.operator();
  for (const accessKeyId of ['AKIAONE', 'AKIATWO']) {
    const body = { owner: 'ann', accessKeyId, secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
    await operator?.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.unknown() });
  }
  const dispatcherOf = async (region: string, name: string): Promise<Dispatcher> => {
    const credentials = await authority.credentials({ role: 'region', region, name });
    const agent = createMtlsAgent({
      credentials,
      timer: STANDING_TIMER,
      acceptsServer: ({ segments }) => segments[0] === 'master',
    });
    t.teardown(() => agent.close());
    return agent;
  };
  return { database, clock, masters, start, dispatcherOf };
}

const urlOf = ({ service }: MasterUnderTest): URL => new URL(`https://${service.addresses['hop'] ?? ''}`);

/** One that forgets at once what it was told: each request has a client of its own. */
function relentless(dispatcher: Dispatcher, master: MasterUnderTest, region: string): RegionKeySource {
  return {
    issue: (request) => {
      const client = new PeerClient({ urls: [urlOf(master)], dispatcher, timer: STANDING_TIMER });
      return mtlsKeySource(REGION_KEYS, { region }, client).issue(request);
    },
  };
}

interface Tally {
  answered: number;
  told: number;
}

/** Asks as often as it can, several requests at a time, until it is told to end. */
async function flood(source: RegionKeySource, tally: Tally, isOver: () => boolean): Promise<void> {
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      try {
        await source.issue({ date: day(TODAY), accessKeyIds: [`AKIAMADEUP${tally.answered + tally.told}`] });
        tally.answered += 1;
      } catch (error) {
        if (errorCodeOf(error) !== 'too-many-requests') throw error;
        tally.told += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

t.test('a region that floods two masters gets one budget; an honest one is served all the while', async (t) => {
  const { database, clock, masters, start, dispatcherOf } = await setUp(t, { KEYD_PEER_REQUESTS_PER_SECOND: '30' });
  const bad = await dispatcherOf('us-east-1', 'bad');
  const tally: Tally = { answered: 0, told: 0 };
  let isOver = false;
  const floods = masters.map((master) => flood(relentless(bad, master, 'us-east-1'), tally, () => isOver));

  const urls = masters.map(urlOf);
  const client = new PeerClient({ urls, dispatcher: await dispatcherOf('eu-west-1', 'honest'), timer: STANDING_TIMER });
  const honest = mtlsKeySource(REGION_KEYS, { region: 'eu-west-1' }, client);
  let served = 0;
  while (tally.answered + tally.told < 900 || served < 20) {
    served += (await honest.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE', 'AKIATWO'] })).issued.size / 2;
    // Its own budget is as large: here it asks for less than that.
    if (served === 250) break;
  }
  isOver = true;
  await Promise.all(floods);
  t.equal(tally.answered, 300, `ten seconds of requests, of ${tally.answered + tally.told}`);
  t.ok(served >= 20, `${served} requests of the honest one meanwhile, none refused`);
  const accounts = await runSql<{ spiffe_id: string; keys_of_day: number }>(
    database,
    'SELECT spiffe_id, keys_of_day FROM peer_budget ORDER BY spiffe_id',
  );
  t.same(
    accounts.map(({ spiffe_id: spiffeId }) => spiffeId),
    [HONEST, BAD],
  );
  t.match(await masters[0]?.health('/status'), { body: { ready: true, warnings: [/us-east-1\/bad has used up/] } });

  const third = relentless(bad, await start('m3'), 'us-east-1');
  const question = { date: day(TODAY), accessKeyIds: ['AKIAONE'] };
  await t.rejects(
    third.issue(question),
    { code: 'too-many-requests', retryAfterSeconds: 1 },
    'a master that has just started',
  );
  await clock.advance(1_000);
  t.equal((await third.issue(question)).issued.size, 1, 'a second later there is some again');
});

t.test('a day of access keys is counted over both masters, and over their restarts', async (t) => {
  const { clock, masters, start, dispatcherOf } = await setUp(t, { KEYD_PEER_KEYS_A_DAY: '2000' });
  const dispatcher = await dispatcherOf('us-east-1', 'bad');
  const accessKeyIds = Array.from({ length: 500 }, (_, n) => `AKIAMADEUP${n}`);
  const ask = (master: MasterUnderTest | undefined): Promise<unknown> => {
    if (!master) throw new Error('no master');
    return relentless(dispatcher, master, 'us-east-1').issue({ date: day(TODAY), accessKeyIds });
  };
  for (const master of [masters[0], masters[0], masters[0], masters[0]]) await ask(master);
  const untilMidnight = { code: 'too-many-requests', retryAfterSeconds: 12 * 3_600 };
  await t.rejects(ask(masters[0]), untilMidnight);
  await t.rejects(ask(masters[1]), untilMidnight);
  await masters[0]?.service.close();
  await t.rejects(ask(await start('m1')), untilMidnight);
  await clock.moveTo('2026-11-23T00:00:00Z');
  await ask(masters[1]);
  t.pass('the next day');
});

t.test('a region that keeps to what it is told asks nothing meanwhile', async (t) => {
  const { clock, masters, dispatcherOf } = await setUp(t, { KEYD_PEER_REQUESTS_PER_SECOND: '1' });
  const options = { urls: masters.map(urlOf), dispatcher: await dispatcherOf('us-east-1', 'bad'), clock };
  const source = mtlsKeySource(REGION_KEYS, { region: 'us-east-1' }, new PeerClient(options));
  const ask = (): Promise<unknown> => source.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] });
  for (let request = 0; request < 10; request += 1) await ask();
  await t.rejects(ask(), { code: 'too-many-requests' });
  const refusals = (): number =>
    masters.flatMap(({ logged }) => logged).filter((line) => line.includes('"msg":"too-many-requests"')).length;
  t.equal(refusals(), 1);
  for (let request = 0; request < 20; request += 1) await t.rejects(ask(), { code: 'too-many-requests' });
  t.equal(refusals(), 1, 'neither of the masters heard of it');
  await clock.advance(2_000);
  await ask();
});
