import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { permissionOptions } from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { startProcessTiers, type ProcessTiersOptions } from '../memory/process-tiers.js';
import { createAccessKeys, messagesOf } from '../memory/requests.js';
import { childrenOf } from '../support/child-processes.js';
import { nodeOptionsOf } from '../support/node-options-of.js';
import { withNodeOptions } from '../support/own-node-options.js';
import { SoftHsm, softHsmMissing } from '../support/soft-hsm.js';
import { until } from '../support/victim.js';

// A master over a token, as a process under the permission model of Node.js.
const skip = await softHsmMissing();
t.setTimeout(150_000);

interface Confined extends ProcessTiersOptions {
  /** Of all tiers, once they are started. */
  readonly log: () => string;
}

/** The master alone is confined, without those of the options that it says it needs. */
function confinedMaster(hsm: SoftHsm, without?: string): Confined {
  let folder = '';
  return {
    beside({ stateFolder }) {
      folder = dirname(stateFolder);
      const conf = join(hsm.folder, 'softhsm2.conf');
      return Promise.resolve({ KEYD_CUSTODY_KEY: '', ...hsm.settings('one'), SOFTHSM2_CONF: conf });
    },
    more(name, env): Readonly<Record<string, string>> {
      if (name !== 'master-keyd') return {};
      const options = nodeOptionsOf(name, env).filter((option) => option !== without);
      return { NODE_OPTIONS: options.join(' ') };
    },
    log: () => readFileSync(join(folder, 'log'), 'utf8'),
  };
}

t.test('keys from a token, and sessions that are killed', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  await hsm.makeKeys('one');
  const confined = confinedMaster(hsm);
  const tiers = await startProcessTiers(t, confined);
  const { master } = tiers;
  t.equal((await master.status()).confined, true);
  const hasSessions = async (): Promise<boolean> => {
    return /^keyd_custody_sessions\{state="held"\} 2$/m.test(await master.metrics());
  };
  const edge = await tiers.startEdge('e1');
  const served = async (owner: string): Promise<void> => {
    const [created] = await createAccessKeys(tiers, [owner]);
    const [message] = created ? messagesOf(created) : [];
    if (!message) throw new Error('no access key was made');
    await until(async () => (await edge.verdictOn(message)) === 'served');
  };
  await served('ann');
  await until(hasSessions);
  const sessions = childrenOf(master.pid());
  t.ok(sessions.length >= 2, 'processes that it may start');
  for (const session of sessions) process.kill(session, 'SIGKILL');
  await until(async () => childrenOf(master.pid()).every((one) => !sessions.includes(one)) && (await hasSessions()));
  await served('ben');
  t.notMatch(confined.log(), /ERR_ACCESS_DENIED|ERR_DLOPEN_DISABLED/);
});

t.test('where it may start no processes it says so at its start, and ends', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  await hsm.makeKeys('one');
  const confined = confinedMaster(hsm, '--allow-child-process');
  await t.rejects(startProcessTiers(t, confined), /master-keyd ended with 78/);
  t.match(confined.log(), 'KEYD_CUSTODY=pkcs11 needs processes of its own, which are not permitted: start it with');
});

t.test('where native code may not be loaded, that is what is said', { skip }, (t) => {
  const program = `
    const { openToken } = await import(${JSON.stringify(import.meta.resolve('@sigv4-keyd/pkcs11-custody'))});
    await openToken({ module: '/there/is/none', token: 'none' }, { pin: '1' }).catch(({ message }) => console.log(message));
  `;
  const told = (nativeCode: boolean): string => {
    const access = { read: ['*'], write: [], ownProcesses: false, nativeCode };
    const node = [process.execPath, '--input-type=module', '--eval', program];
    const [env, ...args] = withNodeOptions(permissionOptions(access).join(' '), node);
    return execFileSync(env, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  };
  t.match(told(false), /pkcs11js is native code, which may not be loaded here: start master-keyd with --confined/);
  t.match(told(true), /the PKCS#11 module .there.is.none cannot be loaded/);
  t.end();
});
