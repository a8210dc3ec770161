import { KeydError, type KeyAnswer } from '@sigv4-keyd/hop-protocol';
import {
  leafHash,
  noteSigner,
  parseCheckpoint,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
  signCheckpoint,
} from '@sigv4-keyd/ledger';
import { LedgerWatch } from '@sigv4-keyd/service-skeleton';
import { exportKService, type KService } from '@sigv4-keyd/sigv4-core';
import { randomBytes } from 'node:crypto';
import { cpSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { capturedLog, hmac, independentKRegion, TODAY } from '../master-keyd/master-under-test.js';
import { spellings } from '../support/spellings.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { connected, freshDatabase, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { LEDGER_KEY, LEDGER_KEYS } from '../support/test-ledger.js';
import { importAccessKey, MOST_BEATS, SECRET, sizeOf, wiredMaster, type WiredMaster } from './wired-master.js';
import { wiredRegion, type WiredRegion } from './wired-region.js';

t.setTimeout(120_000);

const REQUEST = { date: day(TODAY), accessKeyIds: ['AKIAONE'] };
const K_SERVICE = hmac(independentKRegion(SECRET, TODAY, 'us-east-1'), 's3');

function journalOf({ stateFolder }: WiredRegion): string {
  const folder = join(stateFolder, 'journal');
  const segments = readdirSync(folder).filter((name) => name.startsWith('journal'));
  return segments.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
}

function holds(answer: KeyAnswer<KService>): boolean {
  const issued = answer.issued.get('AKIAONE');
  return issued !== undefined && exportKService(issued.key).equals(K_SERVICE);
}

/** The peers of the kService records that the master holds. */
async function uploaded({ database }: { readonly database: string }): Promise<readonly string[]> {
  const rows = await runSql<{ peer: string }>(
    database,
    "SELECT peer FROM issuance WHERE rung = 'kService' ORDER BY peer",
  );
  return rows.map(({ peer }) => peer.slice(peer.lastIndexOf('/') + 1));
}

async function until(master: WiredMaster, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let beats = 0; !(await isSo()); beats += 1) {
    if (beats === MOST_BEATS) throw new Error('it does not come to be');
    await master.clock.advance(1_000);
  }
}

for (const [code, detail] of [
  ['ENOSPC', 'disk-full'],
  ['EIO', 'write-failed'],
] as const) {
  t.test(`no key leaves without its record: ${detail}`, async (t) => {
    const master = await wiredMaster(t);
    let isFailing = false;
    const region = await wiredRegion(t, master, {
      async makeDurable(handle) {
        if (isFailing) throw Object.assign(new Error('on purpose'), { code });
        await handle.datasync();
      },
    });
    const edge = await region.edge();
    isFailing = true;
    const refused = await Promise.all(
      Array.from({ length: 20 }, () => edge.issue(REQUEST).then(holds, (error: unknown) => error)),
    );
    t.match(refused[0], { code: 'journal-unavailable', detail });
    t.same(
      refused.filter((error) => !(error instanceof KeydError) || error.code !== 'journal-unavailable'),
      [],
    );
    const answers = Buffer.concat([...region.received]);
    t.ok(answers.includes('journal-unavailable'), 'the answers were captured');
    for (const spelling of spellings(K_SERVICE)) t.notOk(answers.includes(spelling), 'no key in any answer');
    t.match(await region.status(), { ready: false, notReady: [/cannot be recorded, so that nothing is/] });
    t.equal(region.logged.filter((line) => line.includes('"event":"journal-unavailable"')).length, 1, 'told once');
    t.notMatch(journalOf(region), 'AKIAONE');

    isFailing = false;
    await until(master, () => edge.issue(REQUEST).then(holds, () => false));
    t.match(await region.status(), { ready: true });
    t.match(journalOf(region), 'AKIAONE');
    await until(master, async () => (await uploaded(master)).length > 0);
    // The master has the record a moment before the region has heard so.
    await until(master, async () => JSON.stringify(await region.status()).includes('"behind":0'));
  });
}

t.test('an answer without a key leaves no record', async (t) => {
  const master = await wiredMaster(t);
  const region = await wiredRegion(t, master);
  const edge = await region.edge();
  t.equal((await edge.issue({ date: REQUEST.date, accessKeyIds: ['AKIANONE'] })).absent.size, 1);
  t.match(await region.status(), { journal: { recorded: 0 } });
  await edge.issue({ date: REQUEST.date, accessKeyIds: ['AKIANONE', 'AKIAONE'] });
  await until(master, async () => (await uploaded(master)).length === 1);
  const [row] = await runSql<{ record: string }>(
    master.database,
    "SELECT record FROM issuance WHERE rung = 'kService'",
  );
  t.match(JSON.parse(row?.record ?? ''), {
    from: `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`,
    to: `spiffe://${TRUST_DOMAIN}/edge/us-east-1/s3/e1`,
    service: 's3',
    date: TODAY,
    accessKeyIds: ['AKIAONE'],
  });
});

t.test('records wait for the master, over a restart, and arrive once', async (t) => {
  const master = await wiredMaster(t);
  const { database, authority, custodyKey, clock } = master;
  const region = await wiredRegion(t, master);
  await (await region.edge('e1')).issue(REQUEST);
  await until(master, async () => (await uploaded(master)).length === 1);
  await master.service.close();
  for (const name of ['e2', 'e3']) t.ok(holds(await (await region.edge(name)).issue(REQUEST)), 'held keys are served');
  await clock.advance(60_000);
  t.match(await region.status(), { journal: { recorded: 3, uploaded: 1, behind: 2, failure: /out of reach/ } });
  t.match(JSON.stringify(await region.status()), /the journal is not taken by the master/);
  await region.service.close();

  const next = await wiredMaster(t, { database, authority, custodyKey, clock });
  const again = await wiredRegion(t, next, { stateFolder: region.stateFolder });
  await until(next, async () => (await uploaded(next)).length === 3);
  t.same(await uploaded(next), ['e1', 'e2', 'e3']);
  await (await again.edge('e4')).issue(REQUEST);
  await until(next, async () => (await uploaded(next)).length === 4);
  await next.sequence(6);
  t.match(await next.verify(), { code: 0, out: /records +6\n/ });
  t.notOk(next.logged.some((line) => /journal-(gap|fork|begun)/.test(line)));
});

t.test('a master that was set back is sent again what it has lost', async (t) => {
  const master = await wiredMaster(t);
  const { authority, custodyKey, clock } = master;
  const region = await wiredRegion(t, master);
  for (const name of ['e1', 'e2']) await (await region.edge(name)).issue(REQUEST);
  await until(master, async () => (await uploaded(master)).length === 2);
  await region.service.close();
  const empty = await wiredMaster(t, { database: await freshDatabase(t), authority, custodyKey, clock });
  await importAccessKey(empty.client, 'AKIAONE');
  const again = await wiredRegion(t, empty, { stateFolder: region.stateFolder });
  await until(empty, async () => (await uploaded(empty)).length === 2);
  await (await again.edge('e3')).issue(REQUEST);
  await until(empty, async () => (await uploaded(empty)).length === 3);
  t.same(await uploaded(empty), ['e1', 'e2', 'e3']);
  t.match(await again.status(), { journal: { recorded: 3, uploaded: 3, behind: 0 } });
});

t.test('a state folder that was set back is told, and nothing of it overwrites the log', async (t) => {
  const master = await wiredMaster(t);
  const region = await wiredRegion(t, master);
  await (await region.edge('e1')).issue(REQUEST);
  await until(master, async () => (await uploaded(master)).length === 1);
  await region.service.close();
  const older = newStateFolder(t);
  cpSync(region.stateFolder, older, { recursive: true, filter: (path) => !lstatSync(path).isSocket() });
  const newer = await wiredRegion(t, master, { stateFolder: region.stateFolder });
  await (await newer.edge('e2')).issue(REQUEST);
  await until(master, async () => (await uploaded(master)).length === 2);
  await newer.service.close();
  const back = await wiredRegion(t, master, { stateFolder: older });
  await until(master, () => back.logged.some((line) => line.includes('"event":"journal-refused"')));
  t.match(await back.status(), { journal: { failure: /the state folder is an older copy/ } });
  await (await back.edge('e3')).issue(REQUEST);
  await until(master, () =>
    back.logged.some((line) => line.includes('journal-fork') || line.includes('does not go on')),
  );
  t.same(await uploaded(master), ['e1', 'e2']);
});

t.test('a ledger that is set back, forked or signed by a stranger is refused by region and edge', async (t) => {
  const master = await wiredMaster(t);
  const { database, clock } = master;
  const region = await wiredRegion(t, master);
  const { log, logged } = capturedLog();
  const edge = await LedgerWatch.open(
    { trustDomain: TRUST_DOMAIN, stateFolder: newStateFolder(t), ledgerKeys: [parseVerifierKey(LEDGER_KEYS)] },
    { parent: await region.edgeClient(), clock, log, everyMs: 1_000 },
  );
  const sees = async (state: RegExp | string): Promise<void> => {
    const isSo = (status: object): boolean => new RegExp(state).test(JSON.stringify(status));
    let last = {};
    await until(master, async () => {
      last = (await region.status())['ledger'] ?? {};
      return isSo(last);
    });
    await until(master, async () => {
      await edge.beat();
      return isSo(edge.status());
    });
    t.pass(`region and edge: ${JSON.stringify(last)}`);
  };
  await master.issue('r2', 'r3', 'r4');
  await master.sequence(3);
  await sees('"accepted","size":3');
  await runSql(database, 'CREATE TABLE older AS SELECT * FROM ledger_head');
  await master.issue('r5');
  await master.sequence(4);
  await sees('"accepted","size":4');
  await runSql(database, 'CREATE TABLE newer AS SELECT * FROM ledger_head');
  const put = (table: string): Promise<unknown> =>
    runSql(database, `DELETE FROM ledger_head; INSERT INTO ledger_head SELECT * FROM ${table}`);
  const sign = async (changes: object, key = parseSignerKey(LEDGER_KEY)): Promise<void> => {
    const [row] = await runSql<{ note: string }>(database, 'SELECT note FROM newer');
    const checkpoint = { ...parseCheckpoint(parseNote(row?.note ?? '').text), ...changes };
    await put('newer');
    await runSql(database, 'UPDATE ledger_head SET note = $1', [signCheckpoint(checkpoint, [key])]);
  };

  // As if this were all there is: no other master signs anything meanwhile.
  const holder = await connected(t, database);
  await holder.query('SELECT pg_advisory_lock(7434004)');
  await put('older');
  await sees(/refused: The checkpoint is older than one.*"size":4/);
  t.match(JSON.stringify(await region.status()), /"ready":true.*"the ledger is refused: .*rolled back or cut/);
  const alarm = region.logged.find((line) => line.includes('"event":"ledger-refused"')) ?? '';
  t.match(JSON.parse(alarm), { security: true, code: 'checkpoint-backwards', remembered: /\n4\n/, refused: /\n3\n/ });
  t.ok(
    logged.some((line) => line.includes('checkpoint-backwards')),
    'the edge tells it, too',
  );
  await clock.advance(30_000);
  t.equal(region.logged.filter((line) => line.includes('"event":"ledger-refused"')).length, 1, 'told once');

  await put('newer');
  await sees('"accepted","size":4');
  await sign({ root: newestRoot() });
  await sees(/refused: Two checkpoints of the same size.*"size":4/);
  await sign({ size: 5 });
  await sees(/refused: .*proof.*"size":4/);
  await sign({ origin: 'else.test/issuance' });
  await sees(/refused: The checkpoint is of another log.*"size":4/);
  await sign({}, noteSigner(`${TRUST_DOMAIN}/issuance`, randomBytes(32)));
  await sees(/refused: None of the signatures is by a known key.*"size":4/);
  t.ok(holds(await (await region.edge()).issue(REQUEST)), 'keys are served all the same');

  await put('older');
  await region.service.close();
  const again = await wiredRegion(t, master, { stateFolder: region.stateFolder });
  await until(master, async () => JSON.stringify((await again.status())['ledger']).includes('is older than one'));
  t.pass('what was seen is remembered over a restart');
  await again.service.close();
  writeFileSync(join(region.stateFolder, 'ledger-checkpoint'), 'no checkpoint');
  await t.rejects(wiredRegion(t, master, { stateFolder: region.stateFolder }), {
    exitCode: 78,
    message: /ledger-checkpoint/,
  });
});

t.test('many edges cost the master one question', async (t) => {
  const master = await wiredMaster(t);
  const region = await wiredRegion(t, master);
  const asked = (): number => master.logged.filter((line) => line.includes('"path":"/v1/ledger/checkpoint"')).length;
  const edge = await region.edgeClient();
  const before = asked();
  await Promise.all(Array.from({ length: 30 }, () => sizeOf(edge)));
  t.equal(asked(), before + 1);
  await master.clock.advance(1_001);
  const later = asked();
  await sizeOf(edge);
  t.equal(asked(), later + 1, 'for a second');
});

function newestRoot(): ReturnType<typeof leafHash> {
  return leafHash(Buffer.from('another tree'));
}
