import {
  CUSTODY_ROTATION_PATH,
  CUSTODY_PATH,
  rotatedCustody,
  type PeerClient,
  type RotatedCustody,
  type RotateCustody,
} from '@sigv4-keyd/hop-protocol';
import { fileCustody } from '@sigv4-keyd/master-keyd';
import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { keydctl } from '../keydctl/keydctl-under-test.js';
import { environment, startMaster, type MasterUnderTest } from '../master-keyd/master-under-test.js';
import { day } from '../support/days.js';
import { freePort } from '../support/free-port.js';
import { insertAccessKeys, madeUpIds, secretOf } from '../support/made-up-access-keys.js';
import { runSql } from '../support/postgres.js';
import { serviceProcess, until } from '../support/victim.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { ceremony, requireIssued } from './ceremony.js';

t.setTimeout(120_000);

const idOf = (key: Buffer): string => fileCustody(createSecretKey(key)).sealsWith;

const rotatePage = (operator: PeerClient, page: RotateCustody): Promise<RotatedCustody> =>
  operator.call({ method: 'POST', path: CUSTODY_ROTATION_PATH, body: page, answer: rotatedCustody });

t.test('from the old key to the new one, while requests are served', async (t) => {
  const { database, old, anew, start, refusal, shell } = await ceremony(t);
  const ids = madeUpIds(2_300);
  const before = await start(old);
  t.match(await shell(before).run('custody', 'status'), { code: 0, out: /No secrets/ });
  await insertAccessKeys(before, ids);
  await requireIssued(t, before, ids, 'with the old key');
  await before.service.close();

  t.match(await refusal(anew), {
    exitCode: 78,
    message: new RegExp(`custody key ${idOf(old)}.*KEYD_CUSTODY_KEY_BEFORE`),
  });
  t.match(await refusal(old, old), { exitCode: 78, message: /KEYD_CUSTODY_KEY_BEFORE is the same key/ });
  const master = await start(anew, old);
  await requireIssued(t, master, ids, 'with both keys');
  const { json, run } = shell(master);
  t.same(await json('custody', 'status'), {
    sealsWith: idOf(anew),
    keys: [{ keyId: idOf(old), isGiven: true, secrets: 2_300 }],
    unreadable: [],
  });

  const operator = await master.operator();
  const first = await rotatePage(operator, { limit: 300 });
  t.match(first, { sealsWith: idOf(anew), resealed: 300, unreadable: [], next: ids[299] });
  await requireIssued(t, master, ids, 'half-way');
  const halfWay = await run('custody', 'status');
  t.match(halfWay, { out: new RegExp(`${idOf(old)} +2000 +given`) });
  t.match(halfWay, { out: new RegExp(`${idOf(anew)} +300 +given`) });
  t.match(await refusal(old), { exitCode: 78, message: new RegExp(`custody key ${idOf(anew)}`) });
  const seals = await runSql<{ changed_in: string }>(database, 'SELECT DISTINCT changed_in FROM access_key');
  t.same(seals, [{ changed_in: '0' }], 'nothing that the feed would tell of');

  const rotated = await run('custody', 'rotate');
  t.match(rotated, {
    code: 0,
    out: /sealed anew +2000\nleft under another key +0\n\n.*KEYD_CUSTODY_KEY_BEFORE, .*may go/s,
  });
  t.match(rotated.err, /1000 sealed anew/, 'progress is shown');
  await requireIssued(t, master, ids, 'with the new key');
  t.same(await json('custody', 'rotate'), { sealsWith: idOf(anew), resealed: 0, unreadable: [], left: 0 });
  t.same(
    await runSql(
      database,
      `SELECT spiffe_id, action, sum((detail ->> 'resealed')::int)::int AS resealed, count(*)::int AS pages
         FROM operator_action GROUP BY 1, 2`,
    ),
    [{ spiffe_id: 'spiffe://keyd.test/operator/alice', action: 'rotate-custody-key', resealed: 2_300, pages: 3 }],
  );
  await master.service.close();
  t.match(await refusal(old), { exitCode: 78 });
  const after = await start(anew);
  await requireIssued(t, after, ids, 'without the old key');
  const bytes = [...before.logged, ...master.logged, ...after.logged].join('');
  for (const key of [old, anew]) t.notOk(bytes.includes(key.toString('base64')), 'no key in any log');
});

t.test('what does not open is told by its id, and the old key stays needed', async (t) => {
  const { database, old, anew, start, refusal, shell } = await ceremony(t);
  const before = await start(old);
  const ids = madeUpIds(6);
  await insertAccessKeys(before, ids);
  await insertAccessKeys({ database, custodyKey: randomBytes(32) }, ['AKIASTRANGE']);
  await runSql(
    database,
    `UPDATE access_key SET sealed_secret = set_byte(sealed_secret, 30, get_byte(sealed_secret, 30) # 1) WHERE id = '${ids[2]}';
     UPDATE access_key SET sealed_secret = '' WHERE id = '${ids[4]}'`,
  );
  await before.service.close();
  const master = await start(anew, old);
  const { json, run } = shell(master);
  t.match(await json('custody', 'status'), { unreadable: [ids[4], 'AKIASTRANGE'] });
  const broken = [ids[2], ids[4], 'AKIASTRANGE'];
  const first = await run('custody', 'rotate', '--json');
  t.equal(first.code, 1);
  t.match(JSON.parse(first.out), { resealed: 4, unreadable: broken, left: 3 });
  t.match(await run('custody', 'rotate'), {
    code: 1,
    out: /cannot be read:\n +AKIA0000002\n.*access-key rotate/s,
  });
  await master.service.close();
  t.match(await refusal(anew), { exitCode: 78 }, 'one that is repaired from a backup would need it');

  const again = await start(anew, old);
  for (const id of broken) t.match(await shell(again).run('access-key', 'rotate', String(id), '--yes'), { code: 0 });
  t.match(await shell(again).json('custody', 'rotate'), { resealed: 0, unreadable: [], left: 0 });
  await again.service.close();
  t.equal(await refusal(anew), undefined);
});

t.test('several masters: none may be left behind, and two can rotate at a time', async (t) => {
  const { old, anew, start, clock, database } = await ceremony(t);
  const [first, behind] = [await start(anew, old), await start(old, anew, 'm2')];
  const ids = madeUpIds(900);
  await insertAccessKeys({ database, custodyKey: old }, ids);
  const operator = await first.operator();
  await t.rejects(rotatePage(operator, {}), { code: 'wrong-state', detail: /master\/m2 does not seal with/ });
  t.equal((await runSql(database, 'SELECT FROM operator_action')).length, 0);
  await behind.service.close();
  await clock.advance(31_000);
  const second = await start(anew, old, 'm2');
  const rotateAll = async (master: MasterUnderTest): Promise<number> => {
    const caller = await master.operator();
    let resealed = 0;
    for (let after: string | undefined; ;) {
      const page = await rotatePage(caller, { limit: 50, ...(after !== undefined && { after }) });
      resealed += page.resealed;
      if (page.next === undefined) return resealed;
      after = page.next;
    }
  };
  const counts = await Promise.all([rotateAll(first), rotateAll(second), rotateAll(first), rotateAll(second)]);
  const last = await rotateAll(second);
  t.equal(
    counts.reduce((sum, count) => sum + count, last),
    900,
    'each secret was sealed anew once',
  );
  await requireIssued(t, second, ids, 'and all of them open');
  t.same(await runSql(database, 'SELECT key_id FROM custody_check'), [{ key_id: idOf(anew) }]);
});

t.test('only operators ask', async (t) => {
  const { authority, start, old } = await ceremony(t);
  const master = await start(old);
  const region = master.clientOf(await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' }));
  await t.rejects(rotatePage(region, {}), { code: 'role-not-allowed' });
  await t.rejects(region.call({ method: 'GET', path: CUSTODY_PATH, answer: z.any() }), { code: 'role-not-allowed' });
  const operator = await master.operator();
  for (const body of [{ limit: 0 }, { limit: 1_001 }, { after: "' OR 1=1" }, { other: 1 }]) {
    await t.rejects(
      operator.call({ method: 'POST', path: CUSTODY_ROTATION_PATH, body, answer: z.any() }),
      { code: 'malformed-request' },
      JSON.stringify(body),
    );
  }
});

t.test('a database from before keys had names; a key that was tried and taken back', async (t) => {
  const { database, old, anew, start, refusal, shell } = await ceremony(t);
  await (await start(old)).service.close();
  const [check] = [sealedUnnamed(old, 'sigv4-keyd custody check', 'sigv4-keyd custody check')];
  await runSql(database, 'UPDATE custody_check SET key_id = NULL, sealed = $1', [check]);
  t.match(await refusal(anew), { exitCode: 78, message: /KEYD_CUSTODY_KEY is not the key/ });
  t.equal(await refusal(old), undefined);
  t.same(await runSql(database, 'SELECT key_id FROM custody_check'), [{ key_id: idOf(old) }]);

  t.equal(await refusal(anew, old), undefined);
  t.equal(await refusal(old), undefined, 'nothing was sealed with the new key');
  t.match(await refusal(anew), { exitCode: 78 });

  const ids = madeUpIds(1);
  await insertAccessKeys({ database, custodyKey: old }, ids);
  const unnamed = sealedUnnamed(old, `sigv4-keyd secret\n${ids[0]}\n1`, secretOf(String(ids[0])));
  await runSql(database, 'UPDATE access_key SET sealed_secret = $1', [unnamed]);
  const master = await start(anew, old);
  await requireIssued(t, master, ids, 'a seal that names no key');
  t.match(await shell(master).json('custody', 'status'), { keys: [{ secrets: 1 }], unreadable: [] });
  t.match(await shell(master).json('custody', 'rotate'), { resealed: 1, left: 0 });
  await requireIssued(t, master, ids, 'has one now');
});

function sealedUnnamed(key: Buffer, boundTo: string, text: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(boundTo));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(1), nonce, ciphertext, cipher.getAuthTag()]);
}

t.test('kill -9 of the master in the midst of it: what is done is done, and the rest goes on', async (t) => {
  const { authority, database, old, anew } = await ceremony(t);
  const port = await freePort();
  const env = {
    ...(await environment(authority, { database, custodyKey: anew })),
    KEYD_CUSTODY_KEY_BEFORE: old.toString('base64'),
    KEYD_LISTEN: `127.0.0.1:${port}`,
  };
  const isPrepared = async (): Promise<boolean> => (await runSql(database, 'SELECT FROM custody_check')).length > 0;
  const master = serviceProcess(t, 'master-keyd', env);
  master.start();
  await until(() => isPrepared().catch(() => false));
  const ids = madeUpIds(6_000);
  await insertAccessKeys({ database, custodyKey: old }, ids);
  const files = await authority.filesOf({ role: 'operator', name: 'alice' });
  const shell = { KEYD_MASTER: `https://127.0.0.1:${port}`, KEYD_CREDENTIALS: dirname(files.cert) };
  const rotate = () => keydctl(['custody', 'rotate', '--json'], { env: shell });
  const anewCount = async (): Promise<number> => {
    const prefix = fileCustody(createSecretKey(anew)).prefix;
    const text = 'SELECT FROM access_key WHERE substring(sealed_secret FROM 1 FOR 9) = $1';
    return (await runSql(database, text, [prefix])).length;
  };
  await until(async () => (await keydctl(['custody', 'status'], { env: shell })).code === 0);
  const rotating = rotate();
  await until(async () => (await anewCount()) > 0);
  await master.kill();
  await rotating;
  const done = await anewCount();
  t.equal(done % 1_000, 0, `whole pages: ${done}`);
  t.ok(done > 0);
  master.start();
  await until(async () => (await keydctl(['custody', 'status'], { env: shell })).code === 0);
  const { code, out } = await rotate();
  t.equal(code, 0);
  t.match(JSON.parse(out), { resealed: 6_000 - done, left: 0, unreadable: [] });
  t.equal(await anewCount(), 6_000);
  const recorded = "SELECT sum((detail ->> 'resealed')::int)::int AS sum FROM operator_action";
  t.same(await runSql(database, recorded), [{ sum: 6_000 }]);
  await master.stop();
  const after = await startMaster(t, { authority, database, custodyKey: anew, clock: new VirtualClock(Date.now()) });
  const region = await after.region('us-east-1');
  const today = day(new Date(after.clock.now()).toISOString().slice(0, 10).replaceAll('-', ''));
  const { issued } = await region.issue({ date: today, accessKeyIds: ids.slice(0, 5_000) });
  t.equal(issued.size, 5_000);
});
