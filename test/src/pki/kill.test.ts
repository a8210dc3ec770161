import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { readCredentials } from '@sigv4-keyd/fastify-mtls';
import { createAuthority, renew, type Authority, type IssuedFiles } from '@sigv4-keyd/pki';
import t, { type Test } from 'tap';

const ID = 'spiffe://keyd.test/edge/eu-west-1/s3/a';
const PROGRAM = fileURLToPath(new URL('watched-renewal.js', import.meta.url));
/** Every so many changes, a process is really killed. */
const KILL_EVERY = 9;

async function renewalOf(ca: string, folder: string, ...how: readonly [what: 'copy' | 'kill', which: string]) {
  const child = spawn(process.execPath, [PROGRAM, ca, folder, ...how], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [told, [code, signal]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { changes: Number(told), ending: code === 0 ? 'done' : String(signal) };
}

const filesIn = (folder: string): IssuedFiles => ({
  cert: join(folder, 'tls.crt'),
  key: join(folder, 'tls.key'),
  ca: join(folder, 'ca.crt'),
});
const serialIn = (folder: string): string => new X509Certificate(readFileSync(filesIn(folder).cert)).serialNumber;

/** What a renewal left in the folder that came so far and no further. */
async function isWhole(t: Test, authority: Authority, folder: string, when: string): Promise<string> {
  const { spiffeId } = await readCredentials(filesIn(folder));
  t.equal(spiffeId, ID, `${when}: the key is the certificate's`);
  t.equal(statSync(filesIn(folder).key).mode & 0o777, 0o600);
  const left = serialIn(folder);

  await renew({ authority, folder, now: Date.now() });
  t.not(serialIn(folder), left, `${when}: the next renewal goes through`);
  await readCredentials(filesIn(folder));
  const [version = '', ...others] = readdirSync(folder).filter((name) => name.startsWith('.tls@'));
  t.same(others, [], 'and leaves nothing of the ones before');
  t.same(readdirSync(folder).sort(), ['.tls', version, 'ca.crt', 'tls.crt', 'tls.key']);
  t.same(readdirSync(join(folder, version)).sort(), ['tls.crt', 'tls.key']);
  return left;
}

async function breakOffEverywhere(t: Test, authority: Authority, from: string): Promise<void> {
  const ca = join(from, '..', 'ca');
  const old = serialIn(from);
  const copyOf = (name: string): string => {
    cpSync(from, `${from}-${name}`, { recursive: true, verbatimSymlinks: true });
    return `${from}-${name}`;
  };
  const { changes, ending } = await renewalOf(ca, copyOf('renewed'), 'copy', `${from}-before`);
  t.equal(ending, 'done');
  const found = { old: 0, new: 0 };
  for (let change = 1; change <= changes; change += 1) {
    const left = await isWhole(t, authority, `${from}-before-${change}`, `before change ${change}`);
    found[left === old ? 'old' : 'new'] += 1;
  }
  t.ok(found.old > 10 && found.new > 1, `the old pair was found ${found.old} times, the new one ${found.new} times`);
  for (let change = KILL_EVERY; change <= changes; change += KILL_EVERY) {
    const folder = copyOf(`killed-${change}`);
    t.match(await renewalOf(ca, folder, 'kill', String(change)), { ending: 'SIGKILL' });
    await isWhole(t, authority, folder, `killed before change ${change}`);
  }
}

t.test('kill -9 before any change of a renewal: the pair is the old one or the new one', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: Date.now() });
  const named = (name: string): string => join(folder, name);
  for (const name of ['plain', 'linked', 'put-by-hand', 'other']) {
    await authority.issue({ spiffeId: ID, folder: named(name), now: Date.now() });
  }
  await renew({ authority, folder: named('linked'), now: Date.now() });
  await renew({ authority, folder: named('put-by-hand'), now: Date.now() });
  for (const file of ['tls.crt', 'tls.key']) renameSync(join(named('other'), file), join(named('put-by-hand'), file));
  for (const name of ['plain', 'linked', 'put-by-hand']) await breakOffEverywhere(t, authority, named(name));
});

t.test('who renews at the same time as others gets a pair, or hears that others were faster', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: Date.now() });
  const files = await authority.issue({ spiffeId: ID, folder: join(folder, 'a'), now: Date.now() });
  for (let round = 0; round < 10; round += 1) {
    const calls = [1, 2, 3].map(() => renew({ authority, folder: join(folder, 'a'), now: Date.now() }));
    const endings = await Promise.allSettled(calls);
    t.ok(endings.some(({ status }) => status === 'fulfilled'));
    for (const ending of endings) {
      if (ending.status === 'rejected') t.match(ending.reason, { code: /^(renewed-meanwhile|ENOENT|ENOTEMPTY)$/ });
    }
    t.equal((await readCredentials(files)).spiffeId, ID);
  }
});
