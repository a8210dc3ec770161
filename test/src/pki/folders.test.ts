import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createAuthority, createRequest, describeFolder, type CertificateDescription } from '@sigv4-keyd/pki';
import t from 'tap';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22, 12);
const ID = 'spiffe://keyd.test/region/eu-west-1/a';

// Made by openssl: CN=nobody, a leaf of its own, without alternative names.
const CERTIFICATE_WITHOUT_NAMES = `-----BEGIN CERTIFICATE-----
MIIBdjCCARygAwIBAgIUQEOxCwab/xjvcKTn0qz7M10PbTAwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyMjA2MTQzMVoYDzIxMjYxMDI5MDYx
NDMxWjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARpw7fGZ1SWfZ90i5n5EjkARN2QG/x2MxKp72biqxu8prSBOdq2Pf2kPQwH2To0
HliBbKmKLPYx5hbijPouZmlCo1AwTjAdBgNVHQ4EFgQU8sQGYSO4BCQ4pYi8aQZo
WI4sTZwwHwYDVR0jBBgwFoAU8sQGYSO4BCQ4pYi8aQZoWI4sTZwwDAYDVR0TAQH/
BAIwADAKBggqhkjOPQQDAgNIADBFAiBrn54Kr+IZuf0gxfu2L65LOp+6F9bB8TIh
7lXOaxLzMQIhAIjMAsSsPFegL2L/JtC8bKLpEyDW/Ji/Hbs/JULg0l8k
-----END CERTIFICATE-----
`;

t.test('a folder is described: what is there, of whom, for how long, and what is wrong', async (t) => {
  const folder = t.testdir();
  const ours = { folder: join(folder, 'ca'), trustDomain: 'keyd.test', days: 100, now: NOW };
  const authority = await createAuthority(ours);
  const stranger = await createAuthority({ folder: join(folder, 'other'), trustDomain: 'keyd.test', now: NOW });
  const issueTo = (name: string, now = NOW) =>
    authority.issue({ spiffeId: ID, dnsNames: ['a.example'], folder: join(folder, name), days: 10, now });
  const good = await issueTo('good');
  await issueTo('future', NOW + 5 * DAY);
  const open = await issueTo('open');
  chmodSync(open.key, 0o640);
  const swapped = await issueTo('swapped');
  writeFileSync(swapped.key, readFileSync(good.key));
  const untrusted = await issueTo('untrusted');
  writeFileSync(untrusted.ca, stranger.certPem);
  await createRequest({ spiffeId: ID, ipAddresses: ['10.0.0.1'], folder: join(folder, 'asked') });
  mkdirSync(join(folder, 'broken'));
  const csr = readFileSync(join(folder, 'asked', 'tls.csr'), 'utf8');
  writeFileSync(join(folder, 'broken', 'tls.csr'), csr.replace(/MI/, 'MJ'));
  writeFileSync(join(folder, 'broken', 'half.crt'), authority.certPem.slice(0, 200));
  writeFileSync(join(folder, 'broken', 'note.txt'), 'no certificate, and not listed');
  mkdirSync(join(folder, 'broken', 'a-folder.key'));
  writeFileSync(join(folder, 'both.pem'), authority.certPem + stranger.certPem);
  cpSync(join(folder, 'ca', 'ca.crt'), join(folder, 'broken', 'tls.crt'));

  const described = await describeFolder({ folder, now: NOW });
  const of = (file: string): readonly CertificateDescription[] =>
    described.filter((description) => relative(folder, description.file) === file);
  const codes = (file: string): readonly string[] =>
    of(file).flatMap(({ problems }) => problems.map(({ code }) => code));

  t.match(of('ca/ca.crt'), [{ kind: 'authority', spiffeId: 'spiffe://keyd.test', daysLeft: 100, problems: [] }]);
  t.match(of('ca/ca.key'), [{ kind: 'private-key', problems: [] }]);
  t.match(of('good/tls.crt'), [
    {
      kind: 'leaf',
      spiffeId: ID,
      dnsNames: ['a.example'],
      serial: /^01[0-9A-F]{32}$/,
      notAfter: new Date(NOW + 10 * DAY),
      daysLeft: 10,
      problems: [],
    },
  ]);
  t.strictSame(codes('good/tls.key'), []);
  t.strictSame(codes('good/ca.crt'), []);
  t.match(of('future/tls.crt'), [{ problems: [{ code: 'not-yet-valid', text: /clock/ }] }]);
  t.match(of('open/tls.key'), [{ problems: [{ code: 'key-readable-by-others', text: /640.*chmod 600/ }] }]);
  t.match(of('swapped/tls.key'), [{ problems: [{ code: 'key-mismatch', text: /renew/ }] }]);
  t.match(of('untrusted/tls.crt'), [{ problems: [{ code: 'not-issued-by-ca' }] }]);
  t.match(of('asked/tls.csr'), [{ kind: 'request', spiffeId: ID, ipAddresses: ['10.0.0.1'], problems: [] }]);
  t.match(of('broken/tls.csr'), [{ kind: 'request', problems: [{ code: 'request-refused' }] }]);
  t.match(of('broken/half.crt'), [{ kind: 'unknown', problems: [{ code: 'malformed' }] }]);
  t.match(of('broken/tls.crt'), [{ kind: 'authority', problems: [] }], 'by what it is, not by its name');
  t.equal(of('both.pem').length, 2, 'each certificate of a file');
  t.equal(of('broken/note.txt').length + of('broken/a-folder.key').length, 0);

  const later = await describeFolder({ folder: join(folder, 'good'), now: NOW + 10 * DAY + 1 });
  const expired = later.find(({ kind }) => kind === 'leaf');
  t.match(expired, { daysLeft: -1, problems: [{ code: 'expired', text: /renew/ }] });
  t.ok(
    described.every(({ problems }) => problems.every(({ text }) => !/[A-Za-z0-9+/]{64}/.test(text))),
    'no key is quoted',
  );
  await t.rejects(describeFolder({ folder: join(folder, 'nowhere'), now: NOW }), { code: 'unreadable' });
});

t.test('a leaf without one SPIFFE id is named as such', async (t) => {
  const folder = t.testdir({ 'tls.crt': CERTIFICATE_WITHOUT_NAMES });
  const described = await describeFolder({ folder, now: NOW });
  t.match(described, [{ kind: 'leaf', problems: [{ code: 'no-spiffe-id', text: /SPIFFE/ }] }]);
});
