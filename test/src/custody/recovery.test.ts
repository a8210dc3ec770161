import {
  CUSTODY_RECOVERY_PATH,
  custodyKeyIdOf,
  parseRecoveryPublicKey,
  wrapCustodyKey,
  type RecoveryPublicKey,
  type WrappedCustodyKey,
} from '@sigv4-keyd/hop-protocol';
import { exportKRegion } from '@sigv4-keyd/sigv4-core';
import {
  createCipheriv,
  createHash,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { keydctl, keydctlJson, type Result } from '../keydctl/keydctl-under-test.js';
import { SECRET, wiredMaster, type WiredMaster } from '../ledger-wired/wired-master.js';
import { independentKRegion, TODAY } from '../master-keyd/master-under-test.js';
import { valueAt } from '../metrics/scrape.js';
import { day } from '../support/days.js';
import { runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';

t.setTimeout(120_000);

/** A recovery key of five shares, three of which make it, and a custody key that is wrapped for it. */
async function wrapped(t: Test) {
  const folder = newStateFolder(t);
  const recovery = join(folder, 'recovery');
  const create = ['custody', 'recovery', 'create', '--shares', '5', '--threshold', '3', '--out', recovery];
  const made = await keydctlJson(create);
  const publicHalf = readPublic(join(recovery, 'recovery.pub'));
  const custodyKey = randomBytes(32);
  const one = wrapCustodyKey(createSecretKey(custodyKey), publicHalf);
  const lines = join(folder, 'wrapped.txt');
  writeFileSync(lines, `${one.line}\n`);
  const out = join(folder, 'custody.key');
  const restore = (shares: readonly string[], ...more: readonly string[]): Promise<Result> => {
    const files = shares.map((name) => (name.includes('/') ? name : join(recovery, `share-${name}.txt`)));
    return keydctl(['custody', 'recovery', 'restore', '--wrapped', lines, '--out', out, ...more, ...files]);
  };
  return { folder, recovery, create, made, publicHalf, custodyKey, one, lines, out, restore };
}

function readPublic(file: string): RecoveryPublicKey {
  const key = parseRecoveryPublicKey(readFileSync(file, 'utf8'));
  if (!key) throw new Error(`${file} is no recovery key`);
  return key;
}

t.test('any three of five shares have the custody key back', async (t) => {
  const { recovery, create, made, publicHalf, custodyKey, one, out, restore } = await wrapped(t);
  t.match(made, { recoveryKey: publicHalf.id, threshold: 3, shares: { length: 5 } });
  for (let n = 1; n <= 5; n += 1) t.equal(statSync(join(recovery, `share-${n}.txt`)).mode & 0o777, 0o600);
  for (const three of [
    ['1', '2', '3'],
    ['5', '3', '1'],
    ['2', '4', '5', '1'],
  ]) {
    const restored = await restore(three);
    t.match(restored, { code: 0, out: new RegExp(one.custodyKeyId) });
    t.equal(readFileSync(out, 'utf8'), `${custodyKey.toString('base64')}\n`);
    t.equal(statSync(out).mode & 0o777, 0o600);
    t.notOk(restored.out.includes(custodyKey.toString('base64')), 'the key is in the file alone');
    t.match(await restore(three), { code: 1, err: /exists|there already/ }, 'nothing is overwritten');
    rmSync(out);
  }
  t.match(await keydctl(create), { code: 1 }, 'nor a recovery key');
  for (const bad of [
    ['1', '1'],
    ['3', '4'],
    ['256', '2'],
    ['x', '2'],
  ]) {
    const args = ['--shares', String(bad[0]), '--threshold', String(bad[1]), '--out', join(recovery, 'other')];
    t.match(await keydctl(['custody', 'recovery', 'create', ...args]), { code: 2 }, bad.join(', '));
  }
});

t.test('shares and lines that do not fit are told apart, and nothing is written', async (t) => {
  const { folder, recovery, out, lines, one, publicHalf, restore } = await wrapped(t);
  const other = await wrapped(t);
  const share = (n: number): string => readFileSync(join(recovery, `share-${n}.txt`), 'utf8').trim();
  const given = (text: string): string => {
    const file = join(folder, `given-${randomBytes(4).toString('hex')}.txt`);
    writeFileSync(file, text);
    return file;
  };
  const stranger = join(other.recovery, 'share-3.txt');
  const slip = share(3).replace(/.(?=.{12}$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
  // Somebody who knows the form changes a share and makes its checksum right.
  const head = `${share(3).slice(0, 60)}${share(3)[60] === 'A' ? 'B' : 'A'}${share(3).slice(61, -9)}`;
  const forged = `${head}.${createHash('sha256').update(head).digest('hex').slice(0, 8)}`;
  const table: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['too few', ['1', '2'], /2 of the 3 shares that are needed.*\n?.*1 more/s],
    ['one', ['1'], /1 of the 3 shares/],
    ['the same twice', ['1', '2', '1'], /share-1\.txt and .*share-1\.txt are the same share/],
    ['of another set', ['1', '2', stranger], new RegExp(publicHalf.id)],
    ['a slip of the pen', ['1', '2', given(slip)], /is damaged/],
    ['cut', ['1', '2', given(share(3).slice(0, -1))], /is no recovery share/],
    ['two in a file', ['1', '2', given(`${share(3)}\n${share(4)}`)], /is no recovery share/],
    ['empty', ['1', '2', given('')], /is no recovery share/],
    ['forged', ['1', '2', given(forged)], /do not make recovery key .* forged/],
    ['absent', ['1', '2', join(folder, 'nowhere')], /nowhere/],
  ];
  for (const [what, shares, message] of table) {
    const result = await restore(shares);
    t.match(result, { code: 1, err: message }, what);
    const parts = [1, 2, 3].map((n) => String(share(n).split('.')[4]));
    t.notOk(
      parts.some((part) => result.err.includes(part)),
      `${what}: no share is told`,
    );
  }

  const fake = wrapCustodyKey(createSecretKey(randomBytes(32)), publicHalf);
  const tampered = (line: string): string =>
    `${line.slice(0, -2)}${line.at(-2) === 'A' ? 'B' : 'A'}${line.at(-1) ?? ''}`;
  const renamed = (wrap: WrappedCustodyKey): string => wrap.line.replace(wrap.custodyKeyId, one.custodyKeyId);
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['tampered with', tampered(one.line), /does not open/],
    ['under the name of another', renamed(fake), /does not open/],
    ['made so by who can write to the database', planted(one.custodyKeyId, publicHalf), /somebody put another key/],
    ['for another recovery key', other.one.line, /no custody key is wrapped here/],
    ['something else', 'keyd-custody-recovery.1.x', /line 1 is no wrapped custody key/],
    ['nothing', '', /no custody key is wrapped here/],
    ['two of them', `${one.line}\n${fake.line}`, /several custody keys .*--custody-key/s],
  ];
  for (const [what, text, message] of wrong) {
    writeFileSync(lines, text);
    t.match(await restore(['1', '2', '3']), { code: 1, err: message }, what);
  }
  t.match(await restore(['1', '2', '3'], '--custody-key', '0123456789abcdef'), { code: 1, err: /is not wrapped here/ });
  t.notOk(existsSync(out));
  t.match(await restore(['1', '2', '3'], '--custody-key', one.custodyKeyId), { code: 0 });
});

t.test('the drill: the key file is lost, had back from shares, and rotated; the ledger is whole', async (t) => {
  const folder = newStateFolder(t);
  const recovery = join(folder, 'recovery');
  await keydctlJson(['custody', 'recovery', 'create', '--shares', '3', '--threshold', '2', '--out', recovery]);
  const KEYD_RECOVERY_KEY = readFileSync(join(recovery, 'recovery.pub'), 'utf8').trim();
  const issues = async (master: WiredMaster): Promise<void> => {
    const { issued } = await (await master.region('us-east-1')).issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] });
    const key = issued.get('AKIAONE')?.key;
    t.same(key && exportKRegion(key), independentKRegion(SECRET, TODAY, 'us-east-1'));
  };

  // Day by day: secrets under a key that is kept recoverable.
  const lost = randomBytes(32);
  const before = await wiredMaster(t, {
    custodyKey: lost,
    env: { KEYD_RECOVERY_KEY, KEYD_METRICS_LISTEN: '127.0.0.1:0' },
  });
  t.equal(await valueAt(before.service, 'keyd_custody_recoverable', { keeper: 'file' }), 1);
  const { authority, database, clock } = before;
  await before.issue('r1');
  await before.sequence(1);
  const shown = await before.keydctl('custody', 'recovery', 'show');
  t.match(shown, { code: 0, out: /^keyd-custody-recovery\.1\.[0-9a-f]{16}\.[0-9a-f]{16}\.[A-Za-z0-9_-]{107}\n$/ });
  await before.service.close();

  // The key file is gone: no master starts without it, and with another one neither.
  const settings = { authority, database, clock };
  const stray = { ...settings, custodyKey: randomBytes(32), env: { KEYD_RECOVERY_KEY } };
  await t.rejects(wiredMaster(t, stray), { name: 'StartError', exitCode: 78 });

  // Two keepers of shares come together. The line is in the database, or in a backup of it.
  const rows = await runSql<{ line: string }>(database, 'SELECT line FROM custody_recovery ORDER BY made_at DESC');
  const lines = join(folder, 'wrapped.txt');
  writeFileSync(lines, rows.map(({ line }) => line).join('\n'));
  t.equal(`${readFileSync(lines, 'utf8')}\n`, shown.out, 'the same that the operator was shown');
  const out = join(folder, 'custody.key');
  const shares = ['share-3.txt', 'share-1.txt'].map((name) => join(recovery, name));
  const restored = await keydctl(['custody', 'recovery', 'restore', '--wrapped', lines, '--out', out, ...shares]);
  t.equal(restored.code, 0, restored.err);
  const back = Buffer.from(readFileSync(out, 'utf8'), 'base64');

  // The masters start, and the key that was out of everybody's hands is rotated away.
  const anew = randomBytes(32);
  const env = { KEYD_RECOVERY_KEY, KEYD_CUSTODY_KEY_BEFORE: back.toString('base64') };
  const between = await wiredMaster(t, { ...settings, custodyKey: anew, env });
  await issues(between);
  t.match(await between.keydctl('custody', 'rotate'), { code: 0, out: /left under another key +0/ });
  await between.service.close();
  const after = await wiredMaster(t, { ...settings, custodyKey: anew, env: { KEYD_RECOVERY_KEY } });
  await issues(after);
  await after.sequence(3);
  t.match(await after.verify(), { code: 0, out: /whole/ });

  // Both keys can be had back: the old one opens the backups from before.
  const now = await after.keydctl('custody', 'recovery', 'show');
  for (const key of [lost, anew]) t.match(now.out, new RegExp(`\\.${custodyKeyIdOf(createSecretKey(key))}\\.`));
  t.equal(now.out.trim().split('\n').length, 2);
  const region = after.clientOf(await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' }));
  await t.rejects(region.call({ method: 'GET', path: CUSTODY_RECOVERY_PATH, answer: z.any() }), {
    code: 'role-not-allowed',
  });
});

/** A key of somebody's own under the name of ours, wrapped by node:crypto alone: what everybody can do. */
function planted(custodyKeyId: string, recovery: RecoveryPublicKey): string {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const passing = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const shared = diffieHellman({ privateKey, publicKey: recovery.key });
  const salt = Buffer.concat([passing, recovery.bytes]);
  const made = Buffer.from(hkdfSync('sha256', shared, salt, 'sigv4-keyd custody recovery 1', 44));
  const head = `keyd-custody-recovery.1.${custodyKeyId}.${recovery.id}`;
  const cipher = createCipheriv('aes-256-gcm', made.subarray(0, 32), made.subarray(32)).setAAD(Buffer.from(head));
  const body = Buffer.concat([passing, cipher.update(randomBytes(32)), cipher.final(), cipher.getAuthTag()]);
  return `${head}.${body.toString('base64url')}`;
}
