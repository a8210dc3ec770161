import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { certificateIdentity, parseSpiffeId, subjectAltNames } from '@sigv4-keyd/fastify-mtls';
import t from 'tap';
import { PeerCertificates, type AltName } from './certificates-for-peers.js';

t.test('a SPIFFE id of a workload has a trust domain and segments', (t) => {
  t.strictSame(parseSpiffeId('spiffe://keyd.test/edge/eu-west-1/s3/A_b.c-9'), {
    uri: 'spiffe://keyd.test/edge/eu-west-1/s3/A_b.c-9',
    trustDomain: 'keyd.test',
    segments: ['edge', 'eu-west-1', 's3', 'A_b.c-9'],
  });
  const longest = `spiffe://keyd.test/${'a'.repeat(2048 - 'spiffe://keyd.test/'.length)}`;
  t.equal(parseSpiffeId(longest)?.uri, longest, '2048 bytes are allowed');
  t.equal(parseSpiffeId(`${longest}a`), undefined, '2049 are not');
  t.ok(parseSpiffeId(`spiffe://${'d'.repeat(255)}/a`), 'a trust domain of 255 bytes is allowed');
  t.equal(parseSpiffeId(`spiffe://${'d'.repeat(256)}/a`), undefined, '256 are not');
  t.end();
});

t.test('whatever is not exactly that is no SPIFFE id', (t) => {
  const malformed = [
    '',
    'spiffe://',
    'spiffe:///region/a',
    'spiffe://keyd.test',
    'spiffe://keyd.test/',
    'spiffe://keyd.test//a',
    'spiffe://keyd.test/a/',
    'spiffe://keyd.test/a//b',
    'spiffe://keyd.test/./a',
    'spiffe://keyd.test/a/..',
    'spiffe://keyd.test/region/%65u/a',
    'spiffe://keyd.test/region/a?b',
    'spiffe://keyd.test/region/a?',
    'spiffe://keyd.test/region/a#b',
    'spiffe://keyd.test:8443/region/a',
    'spiffe://user@keyd.test/region/a',
    'spiffe://Keyd.test/region/a',
    'spiffe://keyd.test/region/ä',
    'spiffe://keyd.test/region/a b',
    'spiffe://keyd.test/region/a\n',
    'spiffe://keyd.test\\region\\a',
    'SPIFFE://keyd.test/region/a',
    'Spiffe://keyd.test/region/a',
    'https://keyd.test/region/a',
    ' spiffe://keyd.test/region/a',
    'spiffe:/keyd.test/region/a',
  ];
  for (const text of malformed) t.equal(parseSpiffeId(text), undefined, JSON.stringify(text));
  t.end();
});

t.test('the names of a certificate are read to the last, and one value never passes for two', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const certificateWith = async (...altNames: AltName[]): Promise<X509Certificate> =>
    new X509Certificate(readFileSync((await certificates.odd(altNames)).cert));
  const good = 'spiffe://keyd.test/region/eu/a';

  const plain = await certificateWith([6, good], [2, 'a.example'], [1, 'a@b.example']);
  t.strictSame(subjectAltNames(plain), {
    uris: [good],
    dnsNames: ['a.example'],
    ipAddresses: [],
    others: ['email:a@b.example'],
  });
  t.match(certificateIdentity(plain), { ok: true, id: { uri: good } });

  const smuggled = await certificateWith([2, `a.example, URI:${good}`]);
  t.strictSame(subjectAltNames(smuggled)?.uris, [], 'a comma within a DNS name makes no URI name');
  t.match(certificateIdentity(smuggled), { ok: false, problem: 'no-spiffe-id' });

  const hidden = await certificateWith([6, good], [6, 'x", DNS:"y']);
  t.match(certificateIdentity(hidden), { ok: false, problem: 'several-uri-sans' }, 'quotes hide no second URI name');

  t.equal(subjectAltNames({ subjectAltName: null }), undefined, 'an extension that OpenSSL cannot read');

  const twice = await certificateWith([6, good], [6, good]);
  t.match(certificateIdentity(twice), { ok: false, problem: 'several-uri-sans' }, 'twice the same is two');

  const withNul = await certificateWith([6, `${good}\0.evil`]);
  t.match(certificateIdentity(withNul), { ok: false, problem: 'malformed-spiffe-id' });

  t.match(certificateIdentity(await certificateWith()), { ok: false, problem: 'no-spiffe-id', came: 'no names' });
  const authority = new X509Certificate(readFileSync(certificates.caFile));
  t.match(certificateIdentity(authority), { ok: false, problem: 'authority-as-peer' });
});
