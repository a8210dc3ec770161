import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCredentials } from '@sigv4-keyd/fastify-mtls';
import { createAuthority, openAuthority, renew, writeBundle, type PkiErrorCode } from '@sigv4-keyd/pki';
import t from 'tap';
import { openssl, withoutOpenssl } from './openssl.js';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22, 12, 0, 0, 789);
const ID = 'spiffe://keyd.test/region/eu-west-1/a';

const certificateIn = (file: string): X509Certificate => new X509Certificate(readFileSync(file));
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);
const instant = (text: string): number => new Date(text).getTime();

t.test('an authority is of one trust domain, and overwrites nothing', async (t) => {
  const folder = t.testdir();
  const before = process.umask(0o027);
  t.teardown(() => process.umask(before));
  const authority = await createAuthority({ folder, trustDomain: 'keyd.test', days: 100, now: NOW });
  t.strictSame(readdirSync(folder).sort(), ['ca.crt', 'ca.key'], 'nothing else is left behind');
  t.equal(modeOf(join(folder, 'ca.key')), '600');
  t.equal(modeOf(join(folder, 'ca.crt')), '644', 'whatever the umask');

  const certificate = certificateIn(join(folder, 'ca.crt'));
  t.equal(certificate.ca, true);
  t.equal(certificate.subject, 'CN=keyd.test');
  t.equal(certificate.issuer, certificate.subject);
  t.equal(certificate.subjectAltName, 'URI:spiffe://keyd.test');
  t.ok(certificate.verify(certificate.publicKey), 'it is signed by itself');
  t.ok(certificate.checkPrivateKey(createPrivateKey(readFileSync(join(folder, 'ca.key')))));
  t.equal(instant(certificate.validFrom), Date.UTC(2026, 10, 22, 11, 55), 'five minutes early, for late clocks');
  t.equal(instant(certificate.validTo), Date.UTC(2026, 10, 22, 12) + 100 * DAY);
  t.equal(authority.notAfter.getTime(), instant(certificate.validTo));

  const again = createAuthority({ folder, trustDomain: 'keyd.test', now: NOW });
  await t.rejects(again, { code: 'exists', message: /ca\.crt/ });
  rmSync(join(folder, 'ca.crt'));
  const keyAlone = createAuthority({ folder, trustDomain: 'keyd.test', now: NOW });
  await t.rejects(keyAlone, { code: 'exists' }, 'nor a key alone');
  t.strictSame(readdirSync(folder), ['ca.key']);
  for (const trustDomain of ['', 'Keyd.test', 'spiffe://keyd.test', 'keyd.test/a', 'a b', 'a:1', 'x'.repeat(256)]) {
    const refused = createAuthority({ folder: join(folder, 'x'), trustDomain, now: NOW });
    await t.rejects(refused, { code: 'malformed-trust-domain' }, trustDomain);
  }
  for (const days of [0, -1, Number.NaN, Infinity, 36_501]) {
    const refused = createAuthority({ folder: join(folder, 'x'), trustDomain: 'keyd.test', days, now: NOW });
    await t.rejects(refused, { code: 'malformed-lifetime' }, String(days));
  }
});

t.test('a leaf says who it is once, and what it may be used for', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: NOW });
  const names = { spiffeId: ID, dnsNames: ['a.example', 'localhost'], ipAddresses: ['127.0.0.1', 'fd00::1'] };
  const files = await authority.issue({ ...names, folder: join(folder, 'a'), days: 7, now: NOW });
  t.strictSame(readdirSync(join(folder, 'a')).sort(), ['ca.crt', 'tls.crt', 'tls.key']);
  t.equal(modeOf(files.key), '600');
  t.equal(modeOf(files.cert), '644');
  t.equal((await readCredentials(files)).spiffeId, ID, 'the three fit together');

  const leaf = certificateIn(files.cert);
  t.equal(leaf.ca, false);
  t.ok(leaf.verify(authority.certificate.publicKey));
  t.ok(leaf.checkIssued(authority.certificate));
  t.equal(leaf.subject, undefined as unknown as string, 'no second place for a name');
  t.equal(
    leaf.subjectAltName,
    `URI:${ID}, DNS:a.example, DNS:localhost, IP Address:127.0.0.1, IP Address:FD00:0:0:0:0:0:0:1`,
  );
  t.strictSame(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'], 'server and client');
  t.match(leaf.publicKey.asymmetricKeyDetails, { namedCurve: 'prime256v1' });
  t.equal(instant(leaf.validFrom), Date.UTC(2026, 10, 22, 11, 55));
  t.equal(instant(leaf.validTo), Date.UTC(2026, 10, 29, 12));

  const other = await authority.issue({ spiffeId: ID, folder: join(folder, 'b'), now: NOW });
  const serials = [leaf.serialNumber, certificateIn(other.cert).serialNumber];
  t.not(serials[0], serials[1]);
  for (const serial of serials) t.match(serial, /^01[0-9A-F]{32}$/, '128 random bits, positive');

  await t.rejects(authority.issue({ ...names, folder: join(folder, 'a'), now: NOW }), { code: 'exists' });
  t.equal(certificateIn(files.cert).serialNumber, serials[0], 'what was there is there');
  const second = await authority.issue({ ...names, folder: join(folder, 'a'), name: 'second', now: NOW });
  t.equal((await readCredentials(second)).spiffeId, ID, 'a second name in the same folder');
});

t.test('what should not be certified is not, and leaves no files', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', days: 30, now: NOW });
  const cases: readonly (readonly [string, object, PkiErrorCode])[] = [
    ['another trust domain', { spiffeId: 'spiffe://other.test/region/a' }, 'wrong-trust-domain'],
    ['no SPIFFE id', { spiffeId: 'https://keyd.test/region/a' }, 'malformed-spiffe-id'],
    ['a path that climbs', { spiffeId: 'spiffe://keyd.test/../a' }, 'malformed-spiffe-id'],
    ['a DNS name with a comma', { dnsNames: ['a,URI:spiffe://keyd.test/b'] }, 'malformed-host-name'],
    ['an address as DNS name', { dnsNames: ['127.0.0.1'] }, 'malformed-host-name'],
    ['an empty DNS name', { dnsNames: [''] }, 'malformed-host-name'],
    ['a name as address', { ipAddresses: ['localhost'] }, 'malformed-host-name'],
    ['an address with a zone', { ipAddresses: ['fe80::1%eth0'] }, 'malformed-host-name'],
    ['a name that leaves the folder', { name: '../tls' }, 'malformed-file-name'],
    ["the authority's own name", { name: 'ca' }, 'malformed-file-name'],
    ['no lifetime', { days: 0 }, 'malformed-lifetime'],
    ['after the end of the authority', { now: NOW + 31 * DAY }, 'authority-expired'],
  ];
  for (const [what, wrong, code] of cases) {
    const issued = authority.issue({ spiffeId: ID, folder: join(folder, 'leaf'), now: NOW, ...wrong });
    await t.rejects(issued, { name: 'PkiError', code }, `${what}: ${code}`);
  }
  t.strictSame(readdirSync(folder), ['ca']);

  const long = await authority.issue({ spiffeId: ID, folder: join(folder, 'long'), days: 90, now: NOW + 20 * DAY });
  t.equal(instant(certificateIn(long.cert).validTo), authority.notAfter.getTime(), 'nothing outlives its authority');
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  t.throws(() => authority.certify({ spiffeId: ID, publicKey: weak, now: NOW }), { code: 'weak-key' });
  const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
  t.throws(() => authority.certify({ spiffeId: ID, publicKey: koblitz, now: NOW }), { code: 'unsupported-key' });
});

t.test('an authority is opened again only whole', async (t) => {
  const folder = t.testdir();
  const created = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: NOW });
  const opened = await openAuthority({ folder: join(folder, 'ca') });
  t.equal(opened.trustDomain, 'keyd.test');
  t.equal(opened.certPem, created.certPem);
  const files = await opened.issue({ spiffeId: ID, folder: join(folder, 'a'), now: NOW });
  t.ok(certificateIn(files.cert).verify(created.certificate.publicKey));

  const other = join(folder, 'other');
  await createAuthority({ folder: other, trustDomain: 'keyd.test', now: NOW });
  writeFileSync(join(other, 'ca.key'), readFileSync(join(folder, 'ca', 'ca.key')));
  await t.rejects(openAuthority({ folder: other }), { code: 'key-mismatch' });
  writeFileSync(join(other, 'ca.key'), 'no key');
  await t.rejects(openAuthority({ folder: other }), { code: 'malformed' });
  writeFileSync(join(other, 'ca.crt'), readFileSync(files.cert));
  writeFileSync(join(other, 'ca.key'), readFileSync(files.key));
  await t.rejects(openAuthority({ folder: other }), { code: 'not-an-authority' }, 'a leaf is none');
  writeFileSync(join(other, 'ca.crt'), created.certPem + created.certPem);
  await t.rejects(openAuthority({ folder: other }), { code: 'malformed' });
  await t.rejects(openAuthority({ folder: join(folder, 'nowhere') }), { code: 'unreadable' });
});

t.test('renewing keeps the identity and the names', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: NOW });
  const names = { spiffeId: ID, dnsNames: ['a.example'], ipAddresses: ['127.0.0.1', '::1'] };
  const live = join(folder, 'a');
  const files = await authority.issue({ ...names, folder: live, days: 7, now: NOW });
  const old = certificateIn(files.cert);
  const oldKey = readFileSync(files.key, 'utf8');

  await renew({ authority, folder: live, now: NOW + 5 * DAY, days: 7 });
  const renewed = certificateIn(files.cert);
  t.equal(renewed.subjectAltName, old.subjectAltName);
  t.not(renewed.serialNumber, old.serialNumber);
  t.equal(instant(renewed.validTo), Date.UTC(2026, 10, 22, 12) + 12 * DAY);
  t.not(readFileSync(files.key, 'utf8'), oldKey, 'with a new key');
  t.equal(modeOf(files.key), '600');
  t.equal((await readCredentials(files)).spiffeId, ID);
  const shown = (): string[] => readdirSync(live).filter((name) => !name.startsWith('.'));
  const versions = (): string[] => readdirSync(live).filter((name) => name.startsWith('.tls@'));
  t.strictSame(shown().sort(), ['ca.crt', 'tls.crt', 'tls.key']);
  t.equal(versions().length, 1, 'the old pair is gone');
  t.equal(
    modeOf(join(live, versions()[0] ?? '')),
    modeOf(live),
    'who may look into the folder may go through its link',
  );

  const key = readFileSync(files.key, 'utf8');
  await renew({ authority, folder: live, now: NOW, newKey: false });
  t.equal(readFileSync(files.key, 'utf8'), key, 'or with the old one, when told so');
  t.not(certificateIn(files.cert).serialNumber, renewed.serialNumber);
  t.equal(versions().length, 1);

  writeFileSync(files.key, oldKey);
  await t.rejects(renew({ authority, folder: live, now: NOW, newKey: false }), { code: 'key-mismatch' });
  await renew({ authority, folder: live, now: NOW });
  await readCredentials(files);
  const foreign = await createAuthority({ folder: join(folder, 'foreign'), trustDomain: 'other.test', now: NOW });
  await t.rejects(renew({ authority: foreign, folder: live, now: NOW }), { code: 'wrong-trust-domain' });
  await readCredentials(files);
  await t.rejects(renew({ authority, folder: join(folder, 'nowhere'), now: NOW }), { code: 'unreadable' });
  await t.rejects(renew({ authority, folder: join(folder, 'ca'), name: 'absent', now: NOW }), { code: 'unreadable' });
});

t.test('one authority takes over from another', async (t) => {
  const folder = t.testdir();
  const oldFolder = join(folder, 'old');
  const newFolder = join(folder, 'new');
  const old = await createAuthority({ folder: oldFolder, trustDomain: 'keyd.test', now: NOW });
  const next = await createAuthority({ folder: newFolder, trustDomain: 'keyd.test', now: NOW + DAY });
  const live = join(folder, 'a');
  const files = await old.issue({ spiffeId: ID, folder: live, now: NOW });
  const from = [join(oldFolder, 'ca.crt'), join(newFolder, 'ca.crt')];

  t.equal(await writeBundle({ from, file: files.ca }), 2);
  t.equal(readFileSync(files.ca, 'utf8'), old.certPem + next.certPem);
  t.equal(await writeBundle({ from: [...from, files.ca], file: files.ca }), 2, 'each once');
  t.equal(modeOf(files.ca), '644');
  await renew({ authority: next, folder: live, now: NOW + DAY });
  t.equal(readFileSync(files.ca, 'utf8'), old.certPem + next.certPem, 'a renewal leaves the trust of both');
  t.ok(certificateIn(files.cert).verify(next.certificate.publicKey));
  t.equal(await writeBundle({ from: [join(newFolder, 'ca.crt')], file: files.ca }), 1, 'the end of the old one');
  await renew({ authority: old, folder: live, now: NOW + DAY });
  t.equal(readFileSync(files.ca, 'utf8'), next.certPem + old.certPem, 'a renewal adds its authority');

  await t.rejects(writeBundle({ from: [files.cert], file: files.ca }), { code: 'not-an-authority' });
  await t.rejects(writeBundle({ from: [files.key], file: files.ca }), { code: 'malformed' });
  await t.rejects(writeBundle({ from: [], file: files.ca }), { code: 'malformed' });
  await t.rejects(writeBundle({ from: [join(folder, 'absent')], file: files.ca }), { code: 'unreadable' });
  t.equal(readFileSync(files.ca, 'utf8'), next.certPem + old.certPem, 'a refusal leaves the bundle as it was');
});

t.test('dates beyond 2049 are written as they must be', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder, trustDomain: 'keyd.test', days: 36_500, now: NOW });
  t.equal(authority.notAfter.getTime(), Date.UTC(2026, 10, 22, 12) + 36_500 * DAY);
  const files = await authority.issue({ spiffeId: ID, folder: join(folder, 'a'), now: Date.UTC(2060, 0, 1), days: 1 });
  t.equal(instant(certificateIn(files.cert).validTo), Date.UTC(2060, 0, 2));
});

t.test('openssl reads and verifies the same', { skip: withoutOpenssl }, async (t) => {
  const folder = t.testdir();
  const now = Date.now();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now });
  const names = { spiffeId: ID, dnsNames: ['a.example'], ipAddresses: ['127.0.0.1'] };
  const files = await authority.issue({ ...names, folder: join(folder, 'a'), now });
  for (const purpose of ['sslserver', 'sslclient']) {
    const verified = openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', files.ca, files.cert);
    t.match(verified, /tls\.crt: OK/, purpose);
  }
  const hosts = ['-verify_hostname', 'a.example', '-verify_ip', '127.0.0.1'];
  t.match(openssl('verify', ...hosts, '-CAfile', files.ca, files.cert), /OK/);
  const leaf = openssl('x509', '-in', files.cert, '-noout', '-text');
  t.match(leaf, /Basic Constraints: critical\s+CA:FALSE/);
  t.match(leaf, /Key Usage: critical\s+Digital Signature\n/);
  t.match(leaf, /Alternative Name: critical\s+URI:spiffe:\/\/keyd\.test\/region\/eu-west-1\/a, DNS:a\.example/);
  t.match(leaf, /Signature Algorithm: ecdsa-with-SHA256/);
  const root = openssl('x509', '-in', join(folder, 'ca', 'ca.crt'), '-noout', '-text');
  t.match(root, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  t.match(root, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  const own = /Subject Key Identifier:\s+([0-9A-F:]+)/.exec(root)?.[1];
  t.equal(/Authority Key Identifier:\s+(?:keyid:)?([0-9A-F:]+)/.exec(leaf)?.[1], own, 'the leaf names its key');

  const elsewhere = await createAuthority({ folder: join(folder, 'other'), trustDomain: 'keyd.test', now });
  writeFileSync(files.ca, elsewhere.certPem);
  t.throws(() => openssl('verify', '-CAfile', files.ca, files.cert), 'openssl tells two authorities apart');
});
