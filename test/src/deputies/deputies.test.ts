import { FEED_PATH, feedAnswer, REGION_KEYS, type KeyAnswer, type RegionKeySource } from '@sigv4-keyd/hop-protocol';
import { exportKRegion, exportKService, type KRegion } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { importAccessKey, SECRET, wiredMaster, type WiredMaster } from '../ledger-wired/wired-master.js';
import { wiredRegion, type WiredRegion } from '../ledger-wired/wired-region.js';
import { ban, revoke } from '../master-keyd/feed-clients.js';
import { hmac, independentKRegion, TODAY, type MasterOptions } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { askedAsEarlier } from '../support/earlier-release.js';
import { freePort } from '../support/free-port.js';
import { runSql } from '../support/postgres.js';
import { spellings } from '../support/spellings.js';
import { DEPUTY, grant, keysOf, ON, wiredDeputy, withdraw, type WiredDeputy } from './wired-deputy.js';

t.setTimeout(170_000);

interface Tiers {
  readonly master: WiredMaster;
  readonly deputy: WiredDeputy;
}

/** A master, and a deputy that holds kDate of three days. */
async function tiers(t: Test, options: MasterOptions = {}): Promise<Tiers> {
  const master = await wiredMaster(t, { ...ON, ...options });
  await grant(master, TODAY, '20261124');
  const deputy = await wiredDeputy(t, master);
  await deputy.until((status) => keysOf(status, '20261124') === 1);
  return { master, deputy };
}

const ask = (source: RegionKeySource, date = TODAY, accessKeyIds = ['AKIAONE']): Promise<KeyAnswer<KRegion>> =>
  source.issue({ date: day(date), accessKeyIds });

const bytesOf = (answer: KeyAnswer<KRegion>, id = 'AKIAONE'): Buffer | undefined => {
  const issued = answer.issued.get(id);
  return issued && exportKRegion(issued.key);
};

const independentKService = (date: string): Buffer => hmac(independentKRegion(SECRET, date, 'us-east-1'), 's3');

async function kServiceOf(region: WiredRegion, date: string, accessKeyId = 'AKIAONE'): Promise<Buffer | string> {
  const answer = await (await region.edge()).issue({ date: day(date), accessKeyIds: [accessKeyId] });
  const issued = answer.issued.get(accessKeyId);
  return issued ? exportKService(issued.key) : (answer.absent.get(accessKeyId) ?? 'nothing');
}

t.test('with the master off, regions are served for the granted days; its journal is proven afterwards', async (t) => {
  const port = await freePort();
  const env = { ...ON.env, KEYD_LISTEN: `127.0.0.1:${port}` };
  const { master, deputy } = await tiers(t, { env });
  const region = await wiredRegion(t, master, { env: { KEYD_DEPUTIES: deputy.url } });
  t.same(await kServiceOf(region, TODAY), independentKService(TODAY));
  t.equal((await deputy.status()).journal.recorded, 0, 'a master that is up is preferred');

  await master.service.close();
  await master.clock.leapTo('2026-11-23T12:30:00Z');
  t.same(await kServiceOf(region, '20261123'), independentKService('20261123'), 'the next day');
  await master.clock.leapTo('2026-11-24T00:30:00Z');
  t.same(await kServiceOf(region, '20261124'), independentKService('20261124'), 'and the last');
  await master.clock.leapTo('2026-11-25T00:30:00Z');
  await t.rejects(kServiceOf(region, '20261125'), { code: 'parent-unavailable' }, 'no day that was not granted');
  t.equal((await deputy.status()).journal.behind, 2);

  const { database, custodyKey, authority, clock } = master;
  const back = await wiredMaster(t, { env, database, custodyKey, authority, clock });
  await deputy.until(({ journal }) => journal.behind === 0);
  const records =
    "SELECT peer, region, scope_date FROM issuance WHERE rung = 'kRegion' AND issuer = $1 ORDER BY scope_date";
  const peer = `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`;
  t.same(await runSql(database, records, [DEPUTY]), [
    { peer, region: 'us-east-1', scope_date: '20261123' },
    { peer, region: 'us-east-1', scope_date: '20261124' },
  ]);
  const [counted] = await runSql<{ count: number }>(database, 'SELECT count(*)::integer AS count FROM issuance');
  await back.sequence(counted?.count ?? 0);
  t.match(await back.verify(), { code: 0, out: /whole/ });
  const dryRun = await revoke(back.client, { region: 'us-east-1', from: TODAY, dryRun: true });
  const named = dryRun.blastRadius.identities.map(({ spiffeId }) => spiffeId);
  t.match(named, [DEPUTY, peer], 'the blast radius names both');
});

t.test('a region gets kRegion of its own region of served days, as an independent derivation says', async (t) => {
  const { master, deputy } = await tiers(t);
  const [east, west] = [await deputy.region('us-east-1'), await deputy.region('eu-west-1')];
  t.same(bytesOf(await ask(east)), independentKRegion(SECRET, TODAY, 'us-east-1'));
  t.same(bytesOf(await ask(west)), independentKRegion(SECRET, TODAY, 'eu-west-1'));
  t.same(
    bytesOf(await ask(east, '20261123')),
    independentKRegion(SECRET, '20261123', 'us-east-1'),
    'tomorrow, past noon',
  );
  await t.rejects(ask(east, '20261124'), { code: 'date-outside-window' }, 'held, and not yet due');
  await t.rejects(ask(east, '20261121'), { code: 'no-grant' }, 'within the window, and not granted');
  // In the clear: what is sealed to others shows nothing.
  const clear = askedAsEarlier(REGION_KEYS, { region: 'us-east-1' }, await deputy.client('us-east-1'));
  t.same(bytesOf(await ask(clear)), independentKRegion(SECRET, TODAY, 'us-east-1'));
  const answers = Buffer.concat([...deputy.received]);
  t.ok(answers.includes(independentKRegion(SECRET, TODAY, 'us-east-1').toString('base64')), 'answers were captured');
  for (const upper of [Buffer.from(SECRET), hmac(`AWS4${SECRET}`, TODAY)]) {
    for (const spelling of spellings(upper)) t.notOk(answers.includes(spelling), 'nothing from above leaves');
    for (const spelling of spellings(upper))
      t.notOk(deputy.logged.join('').includes(spelling.toString()), 'nor is logged');
  }
  const client = await deputy.client('us-east-1');
  for (const extra of [{ region: 'eu-west-1' }, { service: 's3' }]) {
    const body = { date: TODAY, accessKeyIds: ['AKIAONE'], ...extra };
    const asking = client.call({ method: 'POST', path: REGION_KEYS.path, body, answer: z.any() });
    await t.rejects(asking, { code: 'malformed-request' }, JSON.stringify(extra));
  }
  for (const path of ['/v1/date-keys', '/v1/service-keys', '/v1/region-keys/day', '/v1/journal']) {
    await t.rejects(client.call({ method: 'POST', path, body: {}, answer: z.any() }), { code: 'not-found' }, path);
  }
  await master.service.close();
  t.equal((await ask(east, TODAY, ['AKIANEVER', 'AKIAONE'])).absent.get('AKIANEVER'), 'unavailable', 'never a guess');
});

t.test('access keys that are made later are fetched; those limited to regions have no kDate', async (t) => {
  const { master, deputy } = await tiers(t);
  await importAccessKey(master.client, 'AKIATWO');
  await importAccessKey(master.client, 'AKIALIMITED');
  await runSql(master.database, "UPDATE access_key SET regions = '{us-east-1}' WHERE id = 'AKIALIMITED'");
  const region = await deputy.region('us-east-1');
  const { issued, absent } = await ask(region, TODAY, ['AKIATWO', 'AKIALIMITED']);
  t.same([...issued.keys()], ['AKIATWO'], 'asked of the master while there is one');
  t.same([...absent], [['AKIALIMITED', 'unavailable']], 'a master would have its key');
  await master.clock.leapTo('2026-11-22T18:02:00Z');
  await deputy.until((status) => keysOf(status, '20261124') === 2);
});

t.test('what is withdrawn is dropped, on disk, too', async (t) => {
  const { master, deputy } = await tiers(t);
  await withdraw(master);
  await deputy.until(({ heldDays, grants }) => grants.length === 0 && heldDays.every(({ keys }) => keys === 0));
  await t.rejects(ask(await deputy.region('us-east-1')), { code: 'no-grant' });
  await deputy.service.close();
  await master.service.close();
  const again = await wiredDeputy(t, master, deputy);
  t.match(await again.status(), { grants: [], heldDays: [] });
});

t.test('a deputy that restarts with the master off serves what it held', async (t) => {
  const { master, deputy } = await tiers(t);
  await deputy.service.close();
  await master.service.close();
  const again = await wiredDeputy(t, master, deputy);
  const region = await again.region('eu-west-1');
  t.same(bytesOf(await ask(region)), independentKRegion(SECRET, TODAY, 'eu-west-1'));
  await t.rejects(ask(region, '20261121'), { code: 'no-grant' });
});

t.test('what cannot be recorded is not released', async (t) => {
  const master = await wiredMaster(t, ON);
  await grant(master);
  let isFull = false;
  const makeDurable = (): Promise<void> => (isFull ? Promise.reject(new Error('no space left')) : Promise.resolve());
  const deputy = await wiredDeputy(t, master, { makeDurable });
  await deputy.until((status) => keysOf(status, TODAY) === 1);
  const region = askedAsEarlier(REGION_KEYS, { region: 'us-east-1' }, await deputy.client('us-east-1'));
  isFull = true;
  await t.rejects(ask(region), { code: 'journal-unavailable' });
  const answers = Buffer.concat([...deputy.received]);
  for (const spelling of spellings(independentKRegion(SECRET, TODAY, 'us-east-1'))) t.notOk(answers.includes(spelling));
  isFull = false;
  t.equal((await ask(region)).issued.size, 1, 'and all is well when records are taken again');
});

t.test('revocations hold for what a deputy gives, region by region', async (t) => {
  const { master, deputy } = await tiers(t);
  const [east, west] = [await deputy.region('us-east-1'), await deputy.region('eu-west-1')];
  const heard = async (): Promise<void> => {
    const before = (await deputy.status()).feed.version ?? 0;
    await deputy.until(({ feed }) => (feed.version ?? 0) > before + 1);
  };
  await revoke(master.client, { region: 'us-east-1', from: TODAY, to: '20261124' });
  await heard();
  t.same([...(await ask(east)).absent], [['AKIAONE', 'revoked']]);
  t.same((await ask(west)).issued.size, 1, 'Europe is good');
  await revoke(master.client, { from: TODAY, to: TODAY });
  await deputy.until((status) => keysOf(status, TODAY) === 0);
  t.equal(keysOf(await deputy.status(), '20261123'), 1, 'wiped where it holds everywhere, and nowhere else');
  const answer = await ask(west);
  t.same([...answer.absent], [['AKIAONE', 'revoked']]);
});

t.test('a ban empties a deputy, and a banned region is not served', async (t) => {
  const { master, deputy } = await tiers(t);
  const region = await deputy.region('us-east-1', 'r2');
  t.equal((await ask(region)).issued.size, 1);
  await ban(master.client, `spiffe://${TRUST_DOMAIN}/region/us-east-1/r2`);
  await deputy.until(({ feed }) => feed.banned.length === 1);
  await t.rejects(ask(region), { code: 'identity-banned' });
  await ban(master.client, DEPUTY);
  await deputy.until(({ heldDays, grants }) => grants.length === 0 && heldDays.every(({ keys }) => keys === 0));
  await t.rejects(ask(await deputy.region('us-east-1')), { code: 'no-grant' });
});

t.test('it relays the feed in the very bytes that the master signed', async (t) => {
  const { master, deputy } = await tiers(t);
  const path = `${FEED_PATH}?version=0&wait=0`;
  const client = await deputy.client('us-east-1');
  const relayed = await client.call({ method: 'GET', path, answer: feedAnswer });
  const signed = await master.client.call({ method: 'GET', path, answer: feedAnswer });
  t.same(relayed.statements, signed.statements);
  t.equal(relayed.beacon.split('.').length, 3);
  await master.service.close();
  const region = await wiredRegion(t, master, { env: { KEYD_DEPUTIES: deputy.url } });
  for (let beats = 0; ; beats += 1) {
    const { feed } = z
      .looseObject({ feed: z.looseObject({ version: z.number().default(0) }) })
      .parse(await region.status());
    if (feed.version > 0) break;
    t.ok(beats < 300, 'a region that begins with no master in reach has the feed of the deputy');
    await master.clock.advance(1_000);
  }
});
