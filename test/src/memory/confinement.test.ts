import { closeSync, copyFileSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicJwks } from '@sigv4-keyd/revocation';
import { configuration } from '@sigv4-keyd/master-keyd';
import { neededAccess, permissionOptions } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { signed } from '../edge-verifier/client.js';
import { sharedFeedKeys } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { nodeOptionsOf } from '../support/node-options-of.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { serviceProcess, until } from '../support/victim.js';
import { REGION, SERVICE, startProcessTiers } from './process-tiers.js';
import { createAccessKeys, messagesOf } from './requests.js';

// Whole tiers as processes.
t.setTimeout(150_000);

const tried = z.object({ tried: z.record(z.string(), z.string()) });

interface Trying {
  readonly log: () => string;
  /** Tries what a service has no use for. */
  readonly outcomes: () => Promise<Readonly<Record<string, string>>>;
  readonly outside: string;
}

/** A region as a process, whose master is out of reach. `confine`: how it is started confined. */
async function startRegion(t: Test, confine: 'by options' | 'by itself' | 'not'): Promise<Trying> {
  const authority = await TestAuthority.create(newStateFolder(t));
  const files = await authority.filesOf({ role: 'region', region: REGION, name: 'r1' });
  const { revocation, beacon, root } = await sharedFeedKeys();
  const folder = newStateFolder(t);
  const [path, outside] = [join(folder, 'log'), join(folder, 'outside')];
  writeFileSync(path, '');
  const file = openSync(path, 'a');
  t.teardown(() => closeSync(file));
  const stateFolder = newStateFolder(t);
  const settings = {
    ...tierSettings(files, JSON.stringify(publicJwks([revocation, beacon, root])), stateFolder),
    KEYD_LISTEN: '127.0.0.1:0',
    KEYD_MASTERS: 'https://127.0.0.1:1',
  };
  const options = confine === 'by options' ? nodeOptionsOf('region-keyd', settings) : [];
  // Where the service may read it.
  const preload = join(stateFolder, 'tries.mjs');
  copyFileSync(new URL('tries.js', import.meta.url), preload);
  const env = { ...settings, OUTSIDE: outside, NODE_OPTIONS: [...options, `--import=${preload}`].join(' ') };
  const victim = serviceProcess(t, 'region-keyd', env, file, confine === 'by itself' ? ['--confined'] : []);
  victim.start();
  const log = (): string => readFileSync(path, 'utf8');
  await until(() => log().includes('"started"') || victim.child?.exitCode !== null);
  if (!log().includes('"started"')) throw new Error(log());
  const lines = (): readonly string[] =>
    log()
      .split('\n')
      .filter((line) => line.startsWith('{"tried"'));
  return {
    log,
    outside,
    async outcomes() {
      victim.child?.kill('SIGUSR2');
      await until(() => lines().length > 0);
      return tried.parse(JSON.parse(lines()[0] ?? '')).tried;
    },
  };
}

const DENIED = {
  'reading another file': 'ERR_ACCESS_DENIED',
  'writing another file': 'ERR_ACCESS_DENIED',
  'starting a process': 'ERR_ACCESS_DENIED',
  'starting a thread': 'ERR_ACCESS_DENIED',
  'loading native code': 'ERR_DLOPEN_DISABLED',
};

t.test('a confined service reads, writes, starts and loads nothing that its configuration does not name', async (t) => {
  const region = await startRegion(t, 'by options');
  t.same(await region.outcomes(), DENIED);
  t.notOk(existsSync(region.outside));
  t.notMatch(region.log(), 'permissions-off');
});

t.test('a service that is not confined says so: it could do all of it', async (t) => {
  const region = await startRegion(t, 'not');
  const outcomes = await region.outcomes();
  t.same(Object.values(outcomes).slice(0, 4), ['done', 'done', 'done', 'done']);
  t.ok(existsSync(region.outside));
  t.match(region.log(), '"event":"permissions-off"');
});

t.test('with --confined a service confines itself, where Node.js can', async (t) => {
  if (Reflect.get(process, 'execve') === undefined) {
    t.comment('THIS NODE.JS CANNOT REPLACE ITS OWN PROCESS: --confined was not tried');
    return;
  }
  const region = await startRegion(t, 'by itself');
  t.same(await region.outcomes(), DENIED);
  t.notMatch(region.log(), 'permissions-off');
});

t.test('what is allowed follows the settings', (t) => {
  const given = {
    KEYD_TLS_CERT: '/tier/tls.crt',
    KEYD_CUSTODY_KEY_FILE: '/custody/key',
    KEYD_DATABASE_URL: 'postgres://u:p@db/keyd?sslmode=verify-full&sslrootcert=%2Fdb%2Fca.crt',
  };
  const file = neededAccess(configuration, given);
  for (const folder of ['/tier', '/custody', '/db']) t.ok(file.read.includes(folder), folder);
  t.notOk(file.read.some((path) => ['/', '/etc', '/usr/lib/hsm'].includes(path)));
  t.notOk(
    file.write.some((path) => path !== '/proc/self/coredump_filter'),
    'a master has no folder of its own',
  );
  t.notOk(file.ownProcesses);
  const token = neededAccess(configuration, { ...given, KEYD_PKCS11_MODULE: '/usr/lib/hsm/module.so' });
  t.ok(token.read.includes('/usr/lib/hsm') && token.ownProcesses);
  const flags = (access: typeof file): boolean => permissionOptions(access).includes('--allow-addons');
  t.same([flags(file), flags(token)], [false, true]);
  t.end();
});

t.test('confined tiers do all that they are for', async (t) => {
  const confined = (name: string, env: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
    NODE_OPTIONS: nodeOptionsOf(name, env).join(' '),
  });
  const tiers = await startProcessTiers(t, { more: confined });
  const edge = await tiers.startEdge('e1');
  t.equal((await edge.status()).confined, true);
  t.match(await edge.metrics(), /^keyd_confined 1$/m);
  const [created] = await createAccessKeys(tiers, ['ann']);
  if (!created) throw new Error('no access key was made');
  for (const message of messagesOf(created)) await until(async () => (await edge.verdictOn(message)) === 'served');
  const { accessKeyId, secretAccessKey: secret } = created;
  const large = { accessKeyId, secret, region: REGION, service: SERVICE, now: Date.now(), method: 'PUT' };
  t.equal(await edge.verdictOn(signed({ ...large, body: Buffer.alloc(3_000_000, 'x') })), 'served', 'by way of a file');
  await until(async () => (await edge.status()).keyCache?.isBehind === false);
  await edge.restart();
  t.equal(await edge.verdictOn(signed({ ...large, body: '' })), 'served', 'and after a restart');
  t.notMatch(readFileSync(join(tiers.folder, 'log'), 'utf8'), 'ERR_ACCESS_DENIED');
});
