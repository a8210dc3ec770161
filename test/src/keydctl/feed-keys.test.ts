import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importFeedKey, pinFeedKeys } from '@sigv4-keyd/revocation';
import t from 'tap';
import { keydctl, keydctlJson } from './keydctl-under-test.js';

interface Found {
  readonly purpose: string;
  readonly kid: string;
  readonly pinned: boolean;
  readonly file?: string;
  readonly exposed: boolean;
}

const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const found = async (folder: string): Promise<readonly Found[]> =>
  (await keydctlJson(['feed-keys', 'show', folder]))['keys'] as Found[];

t.test('create makes three private keys, 0600, and their public halves; never over what is there', async (t) => {
  const folder = join(t.testdir(), 'keys');
  const made = await keydctl(['feed-keys', 'create', '--out', folder]);
  t.match(made, { code: 0, out: /root\.jwk \(move it offline now/ });
  const pinned = await pinFeedKeys(json(join(folder, 'feed-keys.json')));
  t.equal(pinned.size, 3);
  for (const purpose of ['revocation', 'beacon', 'root']) {
    const file = join(folder, `${purpose}.jwk`);
    const key = await importFeedKey(json(file));
    t.equal(pinned.get(key.kid)?.purpose, purpose);
    t.equal(statSync(file).mode & 0o777, 0o600, `${purpose}: its owner alone`);
    t.notOk(made.out.includes((json(file) as { d: string }).d), 'no private byte is printed');
  }
  const before = readFileSync(join(folder, 'root.jwk'), 'utf8');
  t.match(await keydctl(['feed-keys', 'create', '--out', folder]), { code: 1, err: /is there already/ });
  t.equal(readFileSync(join(folder, 'root.jwk'), 'utf8'), before);

  const keys = await found(folder);
  t.same(
    keys.map(({ purpose, pinned, exposed }) => [purpose, pinned, exposed]),
    ['revocation', 'beacon', 'root'].map((purpose) => [purpose, true, false]),
  );
  rmSync(join(folder, 'root.jwk'));
  chmodSync(join(folder, 'beacon.jwk'), 0o644);
  const text = await keydctl(['feed-keys', 'show', folder]);
  t.match(text.out, /root +\S{43} +yes +not here +ok/);
  t.match(text.out, /beacon .*chmod 600/, 'a key that others may read is told');
});

t.test('rotate: old and new overlap, the order is told, and the old one is retired last', async (t) => {
  const folder = t.testdir();
  await keydctl(['feed-keys', 'create', '--out', folder]);
  const old = (await found(folder)).find(({ purpose }) => purpose === 'beacon')?.kid ?? '';
  const rotated = await keydctl(['feed-keys', 'rotate', 'beacon', folder]);
  t.match(
    rotated.out,
    /1\. Copy .*feed-keys\.json to every edge[^]*2\. .*beacon\.next\.jwk[^]*3\. .*retire [\w-]{43}, and copy/,
  );
  t.equal(statSync(join(folder, 'beacon.next.jwk')).mode & 0o777, 0o600);
  const both = (await found(folder)).filter(({ purpose }) => purpose === 'beacon');
  t.same(
    both.map(({ pinned }) => pinned),
    [true, true],
  );
  await pinFeedKeys(json(join(folder, 'feed-keys.json')));
  t.match(await keydctl(['feed-keys', 'rotate', 'beacon', folder]), { code: 1, err: /beacon\.next\.jwk is there/ });

  const retire = ['feed-keys', 'retire', old, folder];
  t.match(await keydctl(retire), { code: 1, err: /may still sign/ }, 'not while its private half is here');
  renameSync(join(folder, 'beacon.next.jwk'), join(folder, 'beacon.jwk'));
  t.match(await keydctl(retire), { code: 0, out: /retired +\S{43} \(beacon\)/ });
  const pinned = await pinFeedKeys(json(join(folder, 'feed-keys.json')));
  t.notOk(pinned.has(old));
  t.equal(pinned.size, 3);
  t.match(await keydctl(retire), { code: 1, err: /no public key of this id/ });

  const root = (await found(folder)).find(({ purpose }) => purpose === 'root')?.kid ?? '';
  rmSync(join(folder, 'root.jwk'));
  t.match(await keydctl(['feed-keys', 'retire', root, folder]), { code: 1, err: /the only root key/ });
});

t.test('what is no folder of keys is said to be none, and nothing secret is quoted', async (t) => {
  const folder = t.testdir({ 'feed-keys.json': 'not JSON: hunter2' });
  t.match(await keydctl(['feed-keys', 'show', join(folder, 'nowhere')]), { code: 1, err: /ENOENT/ });
  const broken = await keydctl(['feed-keys', 'show', folder]);
  t.match(broken, { code: 1, err: /feed-keys\.json: .*not JSON/ });
  t.notMatch(broken.err, /hunter2/);
  t.match(await keydctl(['feed-keys', 'rotate', 'ledger', folder]), { code: 2, err: /revocation, beacon, root/ });

  const good = t.testdir();
  await keydctl(['feed-keys', 'create', '--out', good]);
  const stranger = join(t.testdirName, 'stranger');
  await keydctl(['feed-keys', 'create', '--out', stranger]);
  renameSync(join(stranger, 'beacon.jwk'), join(good, 'beacon.jwk'));
  t.match((await keydctl(['feed-keys', 'show', good])).out, /nobody believes it/, 'a key without its public half');
  writeFileSync(join(good, 'feed-keys.json'), readFileSync(join(good, 'revocation.jwk')));
  t.match(await keydctl(['feed-keys', 'rotate', 'root', good]), { code: 1, err: /malformed-keys|form of one/ });
});
