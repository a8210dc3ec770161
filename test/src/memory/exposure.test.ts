import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicJwks } from '@sigv4-keyd/revocation';
import t, { type Test } from 'tap';
import { sharedFeedKeys } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { serviceProcess, until, type Victim } from '../support/victim.js';

t.setTimeout(90_000);

interface RegionProcess {
  readonly victim: Victim;
  /** What it has logged so far. */
  readonly log: () => string;
}

/** A region as a process, whose master is out of reach. */
async function startRegion(t: Test, env: Readonly<Record<string, string>> = {}): Promise<RegionProcess> {
  const authority = await TestAuthority.create(newStateFolder(t));
  const files = await authority.filesOf({ role: 'region', region: 'us-east-1', name: 'r1' });
  const { revocation, beacon, root } = await sharedFeedKeys();
  const path = join(newStateFolder(t), 'log');
  writeFileSync(path, '');
  const file = openSync(path, 'a');
  t.teardown(() => closeSync(file));
  const settings = {
    ...tierSettings(files, JSON.stringify(publicJwks([revocation, beacon, root])), newStateFolder(t)),
    KEYD_LISTEN: '127.0.0.1:0',
    KEYD_MASTERS: 'https://127.0.0.1:1',
    ...env,
  };
  const victim = serviceProcess(t, 'region-keyd', settings, file);
  victim.start();
  return { victim, log: () => readFileSync(path, 'utf8') };
}

t.test('a running service opens no debugger on a signal, and leaves its memory out of core dumps', async (t) => {
  // Any port will do for the debugger that must not open.
  const { victim, log } = await startRegion(t, { NODE_OPTIONS: '--inspect-port=0' });
  await until(() => log().includes('"started"'));
  for (let signals = 1; signals <= 3; signals += 1) {
    victim.child?.kill('SIGUSR1');
    await until(() => log().includes('Debugger listening') || log().split('debugger-refused').length > signals);
  }
  t.notMatch(log(), /Debugger listening/);
  if (process.platform === 'linux') {
    const filter = readFileSync(`/proc/${victim.child?.pid ?? 0}/coredump_filter`, 'utf8');
    t.equal(Number.parseInt(filter, 16), 0, 'no kind of memory');
    t.notMatch(log(), 'core-dumps-possible');
  }
});

t.test('a service does not start where Node.js would show its memory', async (t) => {
  for (const given of ['--inspect=127.0.0.1:0', '--heapsnapshot_signal=SIGUSR2', '"--report-on-\\signal"']) {
    const { victim, log } = await startRegion(t, { NODE_OPTIONS: given });
    await until(() => victim.child?.exitCode !== null || log().includes('"started"'));
    t.equal(victim.child?.exitCode, 78, given);
    const [name = ''] = given.replaceAll(/["\\]/g, '').split('=');
    t.match(log(), `region-keyd: Node.js was started with ${name}, which shows keys in memory: start it without`);
    t.notMatch(log(), '"started"');
  }
});
