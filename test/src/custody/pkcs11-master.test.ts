import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configuration, startMasterKeyd } from '@sigv4-keyd/master-keyd';
import { ConfigurationError, readConfiguration } from '@sigv4-keyd/service-skeleton';
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { keydctlJson } from '../keydctl/keydctl-under-test.js';
import {
  capturedLog,
  environment,
  NOON,
  startMaster,
  TODAY,
  type MasterUnderTest,
} from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { insertAccessKeys, madeUpIds, secretOf } from '../support/made-up-access-keys.js';
import { freshDatabase } from '../support/postgres.js';
import { SoftHsm, softHsmMissing } from '../support/soft-hsm.js';
import { newStateFolder } from '../support/state-folder.js';
import { until } from '../support/victim.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { requireIssued } from './ceremony.js';

const skip = await softHsmMissing();
t.setTimeout(150_000);

type Env = Readonly<Record<string, string>>;

/** A database and an authority; masters with this or that keeper come and go over them. */
async function ceremony(t: Test) {
  const authority = await TestAuthority.create(newStateFolder(t));
  const database = await freshDatabase(t);
  const clock = new VirtualClock(NOON);
  const custodyKey = randomBytes(32);
  const inToken = (env: Env): Env => ({ KEYD_CUSTODY_KEY: '', ...env });
  const start = (env: Env = {}): Promise<MasterUnderTest> => {
    return startMaster(t, { authority, database, clock, custodyKey, env });
  };
  const refusal = async (env: Env): Promise<unknown> => {
    try {
      const settings = await environment(authority, { database, custodyKey, env });
      await (await startMasterKeyd(readConfiguration(configuration, settings), { clock, ...capturedLog() })).close();
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const shell = (master: MasterUnderTest, args: readonly string[], input = ''): Promise<Record<string, unknown>> => {
    const env = { KEYD_MASTER: `https://${master.service.addresses['hop'] ?? ''}`, KEYD_CREDENTIALS: credentials };
    return keydctlJson(args, { env, input, now: clock.now() });
  };
  const bringIn = (master: MasterUnderTest, id: string): Promise<unknown> =>
    shell(master, ['access-key', 'import', id, '--owner', 'ann', '--secret-file', '-'], secretOf(id));
  return { authority, database, clock, custodyKey, inToken, start, refusal, shell, bringIn };
}

t.test('a master over a token: import, issue, restart, an outage of the token', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  for (const key of ['one', 'other']) await hsm.makeKeys(key);
  const { inToken, start, refusal, bringIn } = await ceremony(t);
  const master = await start(inToken(hsm.settings('one')));
  const ids = madeUpIds(3);
  for (const id of ids) await bringIn(master, id);
  await requireIssued(t, master, ids, 'issued');
  await master.service.close();
  t.match(await refusal(inToken(hsm.settings('other'))), { exitCode: 78, message: /KEYD_PKCS11_KEY is not the key/ });

  const again = await start(inToken(hsm.settings('one')));
  await requireIssued(t, again, ids, 'after a restart');
  const region = await again.region('eu-west-1');
  const issue = () => region.issue({ date: day(TODAY), accessKeyIds: ids });
  hsm.takeAway();
  await until(() => fails(issue));
  await t.rejects(issue(), { code: 'custody-unavailable' });
  await t.rejects(bringIn(again, 'AKIALATER'), /custody-unavailable/);
  hsm.putBack();
  await until(async () => !(await fails(issue)));
  await requireIssued(t, again, ids, 'when the token is back');
  await bringIn(again, 'AKIALATER');
  await requireIssued(t, again, [...ids, 'AKIALATER'], 'and it takes secrets in');

  const logged = [...master.logged, ...again.logged].join('');
  t.match(logged, /token-session-lost/);
  for (const word of [hsm.pin, ...ids.map(secretOf)])
    t.notOk(logged.includes(word), 'neither PIN nor secret is logged');
});

async function fails(call: () => Promise<unknown>): Promise<boolean> {
  return call().then(
    () => false,
    () => true,
  );
}

t.test('from a key file to a token, and on to new keys in it, while everything goes on', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  for (const key of ['one', 'two']) await hsm.makeKeys(key);
  const { inToken, start, refusal, shell, bringIn, database, custodyKey } = await ceremony(t);
  const withFile = await start();
  const ids = madeUpIds(40);
  await insertAccessKeys({ database, custodyKey }, ids);
  await requireIssued(t, withFile, ids, 'with a key file');
  await withFile.service.close();
  t.match(await refusal(inToken(hsm.settings('one'))), { exitCode: 78 }, 'the key file is still needed');

  const moving = await start({
    ...hsm.settings('one'),
    KEYD_CUSTODY_KEY: '',
    KEYD_CUSTODY_KEY_BEFORE: custodyKey.toString('base64'),
  });
  await requireIssued(t, moving, ids, 'before the move');
  await bringIn(moving, 'AKIALATER');
  t.match(await shell(moving, ['custody', 'rotate']), { resealed: 40, left: 0, unreadable: [] });
  const all = [...ids, 'AKIALATER'];
  await requireIssued(t, moving, all, 'after it');
  await moving.service.close();
  t.match(await refusal({}), { exitCode: 78 }, 'the key file alone opens nothing any more');

  const rotating = await start(inToken({ ...hsm.settings('two'), KEYD_PKCS11_KEY_BEFORE: 'one' }));
  await requireIssued(t, rotating, all, 'under the pair from before');
  t.match(await shell(rotating, ['custody', 'rotate']), { resealed: 41, left: 0, unreadable: [] });
  await rotating.service.close();
  const after = await start(inToken(hsm.settings('two')));
  await requireIssued(t, after, all, 'under the new pair');
});

t.test('a lost token: its keys are had back from shares, into another token', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  const folder = newStateFolder(t);
  const file = (name: string): string => join(folder, name);
  await keydctlJson(['custody', 'recovery', 'create', '--shares', '3', '--threshold', '2', '--out', folder]);
  const wrapped = ['--recovery-key', file('recovery.pub'), '--out', file('wrapped.txt')];
  const id = await hsm.makeKeys('one', ...wrapped);
  await t.rejects(hsm.makeKeys('two', ...wrapped), /is there already/, 'a wrapped key is never overwritten');
  const unused = ['--recovery-key', file('recovery.pub'), '--out', file('unused.txt')];
  await t.rejects(hsm.makeKeys('one', ...unused), /label one already/);
  t.notOk(existsSync(file('unused.txt')), 'nothing is wrapped that is in no token');
  const { inToken, start, bringIn } = await ceremony(t);
  const master = await start(inToken(hsm.settings('one')));
  const ids = madeUpIds(3);
  for (const each of ids) await bringIn(master, each);
  await master.service.close();

  hsm.takeAway();
  hsm.initToken('another');
  const shares = [file('share-1.txt'), file('share-3.txt')];
  const restore = ['custody', 'recovery', 'restore', '--wrapped', file('wrapped.txt'), '--out', file('custody.key')];
  t.match(await keydctlJson([...restore, ...shares]), { custodyKey: id });
  t.ok(existsSync(file('custody.key')));
  const another = hsm.tokenOf('another');
  t.equal(await another.makeKeys('again', '--custody-key', file('custody.key')), id, 'the same key');
  const back = await start(inToken(another.settings('again')));
  await requireIssued(t, back, ids, 'all of them open');
  await bringIn(back, 'AKIALATER');
  await requireIssued(t, back, [...ids, 'AKIALATER'], 'and new ones are sealed');
});

t.test('all that is wrong with the settings is told at once', async (t) => {
  const { authority, database, custodyKey } = await ceremony(t);
  const env = await environment(authority, { database, custodyKey });
  const problemsOf = (more: Env): readonly string[] => {
    try {
      readConfiguration(configuration, { ...env, ...more });
      return [];
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
  };
  t.same(problemsOf({ KEYD_CUSTODY: 'pkcs11', KEYD_PKCS11_SESSIONS: '65' }).toSorted(), [
    'KEYD_CUSTODY_KEY has no meaning with KEYD_CUSTODY=pkcs11; leave it out',
    'KEYD_PKCS11_KEY is missing',
    'KEYD_PKCS11_MODULE is missing',
    'KEYD_PKCS11_PIN is missing',
    'KEYD_PKCS11_SESSIONS must be from 1 to 64',
    'KEYD_PKCS11_TOKEN is missing',
  ]);
  t.same(problemsOf({ KEYD_PKCS11_TOKEN: 'keyd' }), [
    'KEYD_PKCS11_TOKEN has no meaning with KEYD_CUSTODY=file; leave it out',
  ]);
});
