import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CredentialsStore,
  readCredentials,
  type Credentials,
  type CredentialsErrorCode,
  type TlsFiles,
} from '@sigv4-keyd/fastify-mtls';
import { writeBundle } from '@sigv4-keyd/pki';
import t from 'tap';
import { copyInto, DAY, PeerCertificates } from './certificates-for-peers.js';

t.test('credentials are read together with what they say of their holder', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const files = await certificates.issue('region/eu/a');
  const credentials = await readCredentials(files);
  t.equal(credentials.spiffeId, 'spiffe://keyd.test/region/eu/a');
  t.ok(credentials.key.equals(readFileSync(files.key)));
  t.ok(credentials.notBefore.getTime() < Date.now() && credentials.notAfter.getTime() > Date.now());

  const expired = await readCredentials(await certificates.issue('region/eu/a', { at: Date.now() - 9 * DAY, days: 1 }));
  t.ok(expired.notAfter.getTime() < Date.now(), 'an expired certificate is readable, and says so');
});

t.test('files that do not serve are refused, each with its code, its name and no key', async (t) => {
  const folder = t.testdir();
  const certificates = await PeerCertificates.create(folder);
  const good = await certificates.issue('region/eu/a');
  const other = await certificates.issue('region/eu/b');
  let copies = 0;
  const broken = (breakIt: (files: TlsFiles) => void): TlsFiles => {
    copies += 1;
    const files = copyInto(join(folder, `copy-${copies}`), good);
    breakIt(files);
    return files;
  };
  const cutInHalf = (file: string): void => truncateSync(file, Math.floor(readFileSync(file).length / 2));
  const replace = (file: string, from: string): void => writeFileSync(file, readFileSync(from));
  const append = (file: string, from: string): void => writeFileSync(file, readFileSync(from), { flag: 'a' });

  const oneAndAHalf = ({ ca }: TlsFiles): void => {
    append(ca, ca);
    truncateSync(ca, Math.floor((readFileSync(ca).length * 3) / 4));
  };

  const cases: readonly (readonly [string, TlsFiles, CredentialsErrorCode, keyof TlsFiles])[] = [
    ['no certificate', broken(({ cert }) => rmSync(cert)), 'unreadable', 'cert'],
    ['no key', broken(({ key }) => rmSync(key)), 'unreadable', 'key'],
    ['no roots', broken(({ ca }) => rmSync(ca)), 'unreadable', 'ca'],
    ['half a certificate', broken(({ cert }) => cutInHalf(cert)), 'malformed', 'cert'],
    ['half a key', broken(({ key }) => cutInHalf(key)), 'malformed', 'key'],
    ['half a root', broken(({ ca }) => cutInHalf(ca)), 'malformed', 'ca'],
    ['an empty certificate', broken(({ cert }) => truncateSync(cert)), 'malformed', 'cert'],
    ['an empty root', broken(({ ca }) => truncateSync(ca)), 'malformed', 'ca'],
    ['a root and half another', broken(oneAndAHalf), 'malformed', 'ca'],
    ['the key in place of the certificate', broken(({ cert, key }) => replace(cert, key)), 'malformed', 'cert'],
    ["another's key", broken(({ key }) => replace(key, other.key)), 'key-mismatch', 'key'],
    ['a leaf as root', broken(({ ca }) => replace(ca, other.cert)), 'not-an-authority', 'ca'],
    ['a chain of strangers', broken(({ cert }) => append(cert, other.cert)), 'broken-chain', 'cert'],
    ['no alternative names', await certificates.odd([]), 'no-spiffe-id', 'cert'],
    ['a DNS name only', await certificates.odd([[2, 'localhost']]), 'no-spiffe-id', 'cert'],
    [
      'two URI names',
      await certificates.odd([
        [6, 'spiffe://keyd.test/region/eu/a'],
        [6, 'spiffe://keyd.test/region/eu/b'],
      ]),
      'several-uri-sans',
      'cert',
    ],
    ['another kind of URI', await certificates.odd([[6, 'https://keyd.test/a']]), 'malformed-spiffe-id', 'cert'],
    ['an authority', await certificates.odd([[6, 'spiffe://keyd.test/a']], { ca: true }), 'authority-as-peer', 'cert'],
  ];
  for (const [what, files, code, named] of cases) {
    const error: unknown = await readCredentials(files).catch((thrown: unknown) => thrown);
    t.match(error, { name: 'CredentialsError', code }, what);
    t.ok((error as Error).message.includes(files[named]), `${what}: the message names the file`);
    t.notMatch((error as Error).message, /[A-Za-z0-9+/]{40}/, `${what}: the message quotes no key`);
  }
  const withChain = broken(({ cert }) => append(cert, certificates.caFile));
  t.equal((await readCredentials(withChain)).spiffeId, 'spiffe://keyd.test/region/eu/a', 'a chain may hold its root');
});

t.test('a store swaps whole sets of files, and keeps what it has when they do not fit', async (t) => {
  const folder = t.testdir();
  const certificates = await PeerCertificates.create(folder);
  const first = await certificates.issue('region/eu/a');
  const second = await certificates.issue('region/eu/a');
  const files = copyInto(join(folder, 'live'), first);
  const errors: Error[] = [];
  const reloads: Credentials[] = [];
  const heard: string[] = [];
  const store = await CredentialsStore.open(files, {
    onError: (error) => errors.push(error),
    onReload: (credentials) => reloads.push(credentials),
  });
  store.onChange(() => {
    throw new Error('a listener of the test fails');
  });
  const stop = store.onChange(({ cert }) => heard.push(cert.toString()));
  const firstCredentials = store.current;

  t.equal(await store.reload(), false, 'nothing changed');
  writeFileSync(files.key, readFileSync(second.key));
  t.equal(await store.reload(), false, 'a new key without its certificate');
  t.match(errors.splice(0), [{ code: 'key-mismatch' }]);
  t.equal(store.current, firstCredentials);

  writeFileSync(files.cert, readFileSync(second.cert).subarray(0, 300));
  t.equal(await store.reload(), false, 'a certificate half written');
  t.match(errors.splice(0), [{ code: 'malformed' }]);
  t.equal(store.current, firstCredentials);

  writeFileSync(files.cert, readFileSync(second.cert));
  t.strictSame(await Promise.all([store.reload(), store.reload()]), [true, false], 'two at once: one finds the change');
  t.ok(store.current.cert.equals(readFileSync(second.cert)));
  t.strictSame(heard, [readFileSync(second.cert, 'utf8')], 'listeners hear of it, though one of them throws');
  t.match(errors.splice(0), [{ message: 'a listener of the test fails' }]);
  t.equal(reloads.length, 1);

  stop();
  await writeBundle({ from: [files.ca, (await PeerCertificates.create(join(folder, 'new'))).caFile], file: files.ca });
  t.equal(await store.reload(), true, 'a second root is a change');
  t.equal(heard.length, 1, 'who stopped listening hears nothing');
  errors.length = 0;

  const another = await certificates.issue('region/us/a');
  copyInto(join(folder, 'live'), another);
  t.equal(await store.reload(), false, 'the certificate of somebody else');
  t.match(errors, [{ code: 'identity-changed', message: /region\/us\/a/ }]);
  t.equal(store.current.spiffeId, 'spiffe://keyd.test/region/eu/a');

  await t.rejects(CredentialsStore.open({ ...files, cert: join(folder, 'absent') }), { code: 'unreadable' });
});
