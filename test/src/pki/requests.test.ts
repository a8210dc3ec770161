import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCredentials } from '@sigv4-keyd/fastify-mtls';
import { createAuthority, createRequest, installCertificate, signRequest, type PkiErrorCode } from '@sigv4-keyd/pki';
import forge from 'node-forge';
import t from 'tap';
import { openssl, withoutOpenssl } from './openssl.js';

const NOW = Date.now();
const ID = 'spiffe://keyd.test/edge/eu-west-1/s3/a';

const { asn1 } = forge;
const { Class, Type } = asn1;
type Asn1 = forge.asn1.Asn1;
const create: (tagClass: number, tag: number, constructed: boolean, value: string | Asn1[]) => Asn1 = asn1.create;
const sequence = (...parts: Asn1[]): Asn1 => create(Class.UNIVERSAL, Type.SEQUENCE, true, parts);
const set = (...parts: Asn1[]): Asn1 => create(Class.UNIVERSAL, Type.SET, true, parts);
const oid = (dotted: string): Asn1 => create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes());
const der = (node: Asn1): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;

const URI = 6;
const DNS = 2;
const EMAIL = 1;
type Name = readonly [number, string];

const altNames = (names: readonly Name[]): Asn1 => {
  const value = sequence(...names.map(([tag, text]) => create(Class.CONTEXT_SPECIFIC, tag, false, text)));
  return sequence(oid('2.5.29.17'), create(Class.UNIVERSAL, Type.OCTETSTRING, false, der(value).toString('latin1')));
};
const extensionRequest = (...extensions: Asn1[]): Asn1 =>
  sequence(oid('1.2.840.113549.1.9.14'), set(sequence(...extensions)));

interface Signing {
  readonly algorithm: string;
  readonly digest: string | null;
}
const ECDSA_SHA384: Signing = { algorithm: '1.2.840.10045.4.3.3', digest: 'sha384' };
const ECDSA: Signing = { algorithm: '1.2.840.10045.4.3.2', digest: 'sha256' };

/** A request built by the test, apart from the code that it tests. */
function requestBy(
  { publicKey, privateKey }: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  attributes: readonly Asn1[],
  { algorithm, digest }: Signing,
): string {
  const spki = asn1.fromDer(publicKey.export({ type: 'spki', format: 'der' }).toString('latin1'));
  const version = create(Class.UNIVERSAL, Type.INTEGER, false, '\0');
  const info = sequence(version, sequence(), spki, create(Class.CONTEXT_SPECIFIC, 0, true, [...attributes]));
  const signature = `\0${sign(digest, der(info), privateKey).toString('latin1')}`;
  return pem(der(sequence(info, sequence(oid(algorithm)), create(Class.UNIVERSAL, Type.BITSTRING, false, signature))));
}

t.test('a key is made where it will live, and only its request travels', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: NOW });
  const live = join(folder, 'edge');
  const names = { spiffeId: ID, dnsNames: ['edge.example'], ipAddresses: ['127.0.0.1', 'fd00::1'] };
  const request = await createRequest({ ...names, folder: live });
  t.equal((statSync(request.key).mode & 0o777).toString(8), '600');
  t.equal(readFileSync(request.csr, 'utf8'), request.csrPem);
  t.notMatch(request.csrPem, /PRIVATE/);
  await t.rejects(createRequest({ ...names, folder: live }), { code: 'exists' }, 'a key is not overwritten');

  const signed = signRequest({ authority, csrPem: request.csrPem, days: 3, now: NOW });
  t.match(signed, { spiffeId: ID, dnsNames: ['edge.example'] });
  t.equal(
    new X509Certificate(signed.certPem).subjectAltName,
    `URI:${ID}, DNS:edge.example, IP Address:127.0.0.1, IP Address:FD00:0:0:0:0:0:0:1`,
  );
  const files = await installCertificate({ folder: live, certPem: signed.certPem, caPem: authority.certPem });
  t.equal((await readCredentials(files)).spiffeId, ID);

  const again = await createRequest({ ...names, folder: live, key: 'existing' });
  const next = signRequest({ authority, csrPem: again.csrPem, now: NOW });
  await installCertificate({ folder: live, certPem: next.certPem, caPem: authority.certPem });
  t.equal((await readCredentials(files)).spiffeId, ID, 'the same key again, for a renewal from afar');

  await createRequest({ ...names, folder: join(folder, 'other') });
  const elsewhere = { folder: join(folder, 'other'), certPem: next.certPem, caPem: authority.certPem };
  await t.rejects(installCertificate(elsewhere), { code: 'key-mismatch' });
  const noRoot = { folder: live, certPem: next.certPem, caPem: next.certPem };
  await t.rejects(installCertificate(noRoot), { code: 'not-an-authority' });
  await t.rejects(createRequest({ spiffeId: 'nobody', folder: join(folder, 'x') }), { code: 'malformed-spiffe-id' });
  const badHost = { spiffeId: ID, dnsNames: ['a b'], folder: join(folder, 'x') };
  await t.rejects(createRequest(badHost), { code: 'malformed-host-name' });
});

t.test('keys of every accepted kind are certified', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: NOW });
  const named = [
    extensionRequest(
      altNames([
        [URI, ID],
        [DNS, 'a.example'],
      ]),
    ),
  ];
  const kinds: readonly (readonly [string, { publicKey: KeyObject; privateKey: KeyObject }, Signing])[] = [
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'prime256v1' }), ECDSA],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'secp384r1' }), ECDSA_SHA384],
    ['Ed25519', generateKeyPairSync('ed25519'), { algorithm: '1.3.101.112', digest: null }],
    [
      'RSA 2048',
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      { algorithm: '1.2.840.113549.1.1.11', digest: 'sha256' },
    ],
  ];
  for (const [kind, pair, signing] of kinds) {
    const { certPem, spiffeId } = signRequest({ authority, csrPem: requestBy(pair, named, signing), now: NOW });
    const certificate = new X509Certificate(certPem);
    t.ok(certificate.checkPrivateKey(pair.privateKey), `${kind}: for its key`);
    t.ok(certificate.verify(authority.certificate.publicKey), `${kind}: signed`);
    t.equal(spiffeId, ID, kind);
  }
});

t.test('what does not prove itself, or asks for what is not given, is refused', async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: NOW });
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const named = [extensionRequest(altNames([[URI, ID]]))];
  const refuses = (what: string, csrPem: string, code: PkiErrorCode, spiffeId?: string): void => {
    const given = spiffeId === undefined ? {} : { spiffeId };
    const signing = (): unknown => signRequest({ authority, csrPem, now: NOW, ...given });
    t.throws(signing, { name: 'PkiError', code }, `${what}: ${code}`);
  };

  const noPossession = 'no-proof-of-possession';
  const byStranger = requestBy({ publicKey: pair.publicKey, privateKey: stranger.privateKey }, named, ECDSA);
  refuses("another's key", byStranger, noPossession);
  const misnamed: Signing = { algorithm: ECDSA.algorithm, digest: null };
  refuses("another kind of key's algorithm", requestBy(generateKeyPairSync('ed25519'), named, misnamed), noPossession);
  refuses('SHA-1', requestBy(pair, named, { algorithm: '1.2.840.10045.4.1', digest: 'sha1' }), 'unsupported-signature');
  const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 });
  refuses('RSA 1024', requestBy(rsa1024, named, { algorithm: '1.2.840.113549.1.1.11', digest: 'sha256' }), 'weak-key');
  const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  refuses('secp256k1', requestBy(secp256k1, named, ECDSA), 'unsupported-key');
  const ed448: Signing = { algorithm: '1.3.101.113', digest: null };
  refuses('Ed448', requestBy(generateKeyPairSync('ed448'), named, ed448), 'unsupported-key');

  const ask = (...attributes: Asn1[]): string => requestBy(pair, attributes, ECDSA);
  const two: readonly Name[] = [
    [URI, ID],
    [URI, ID.replace('eu', 'us')],
  ];
  refuses('two URI names', ask(extensionRequest(altNames(two))), 'several-uri-sans');
  refuses('two URI names, one given', ask(extensionRequest(altNames(two))), 'several-uri-sans', ID);
  refuses('names twice', ask(extensionRequest(altNames([[URI, ID]]), altNames([[URI, ID]]))), 'malformed');
  refuses('requests twice', ask(...named, ...named), 'malformed');
  refuses('no names', ask(), 'no-spiffe-id');
  refuses(
    'an e-mail address',
    ask(
      extensionRequest(
        altNames([
          [URI, ID],
          [EMAIL, 'a@b'],
        ]),
      ),
    ),
    'unsupported-name',
  );
  const noHost = ask(
    extensionRequest(
      altNames([
        [URI, ID],
        [DNS, 'a\0.b'],
      ]),
    ),
  );
  refuses('a DNS name that is none', noHost, 'malformed-host-name');
  refuses(
    'an address of 5 bytes',
    ask(
      extensionRequest(
        altNames([
          [URI, ID],
          [7, '12345'],
        ]),
      ),
    ),
    'malformed',
  );
  refuses('another URI', ask(extensionRequest(altNames([[URI, 'https://keyd.test/a']]))), 'malformed-spiffe-id');
  const foreign = ask(extensionRequest(altNames([[URI, 'spiffe://other.test/edge/a']])));
  refuses('another trust domain', foreign, 'wrong-trust-domain');
  refuses('another identity than expected', ask(...named), 'identity-mismatch', 'spiffe://keyd.test/edge/b');
  t.equal(signRequest({ authority, csrPem: ask(), spiffeId: ID, now: NOW }).spiffeId, ID, 'none asked for, one given');
  t.equal(signRequest({ authority, csrPem: ask(...named), spiffeId: ID, now: NOW }).spiffeId, ID, 'both the same');

  const whole = ask(...named);
  const bytes = Buffer.from(whole.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64');
  for (let at = 0; at < bytes.length; at += 1) {
    const tampered = Buffer.from(bytes);
    tampered[at]! ^= 0x01;
    let error: unknown;
    try {
      signRequest({ authority, csrPem: pem(tampered), now: NOW });
    } catch (thrown) {
      error = thrown;
    }
    if ((error as Error | undefined)?.name !== 'PkiError') t.fail(`byte ${at} changed: ${String(error)}`);
  }
  t.pass(`each of ${bytes.length} bytes changed: refused`);
  // The second byte says how many bytes of length follow (0x81: one): one more than needed, and a zero in front.
  const longLength = Buffer.concat([Buffer.of(0x30, bytes[1]! + 1, 0x00), bytes.subarray(2)]);
  refuses('a length that is not the shortest', pem(longLength), 'malformed');
  refuses('bytes after the end', pem(Buffer.concat([bytes, Buffer.of(0)])), 'malformed');
  refuses('half a request', pem(bytes.subarray(0, bytes.length / 2)), 'malformed');
  refuses('two requests', whole + whole, 'malformed');
  refuses('a certificate', authority.certPem, 'malformed');
  refuses('nothing', '', 'malformed');
});

t.test('openssl and this package read each other', { skip: withoutOpenssl }, async (t) => {
  const folder = t.testdir();
  const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: 'keyd.test', now: NOW });
  const ours = await createRequest({ spiffeId: ID, dnsNames: ['a.example'], folder: join(folder, 'ours') });
  const read = openssl('req', '-in', ours.csr, '-noout', '-verify', '-text');
  t.match(read, /verify OK/);
  t.match(read, /URI:spiffe:\/\/keyd\.test\/edge\/eu-west-1\/s3\/a, DNS:a\.example/);

  const kinds = [
    ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ['ed25519'],
    ['rsa', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ];
  for (const [kind = '', ...options] of kinds) {
    const key = join(folder, `${kind}.key`);
    const csr = join(folder, `${kind}.csr`);
    const crt = join(folder, `${kind}.crt`);
    const subject = ['-subj', '/C=XX/O=odd, "name"/CN=ä', '-utf8', '-addext', `subjectAltName=URI:${ID},IP:10.0.0.1`];
    openssl('req', '-new', '-newkey', kind, ...options, '-nodes', '-keyout', key, '-out', csr, ...subject);
    const signed = signRequest({ authority, csrPem: readFileSync(csr, 'utf8'), now: NOW });
    t.match(signed, { spiffeId: ID, ipAddresses: ['10.0.0.1'] }, kind);
    writeFileSync(crt, signed.certPem);
    t.match(openssl('verify', '-x509_strict', '-CAfile', join(folder, 'ca', 'ca.crt'), crt), /OK/, kind);
  }
  const asksForMore = join(folder, 'more.csr');
  const extra = ['-addext', `subjectAltName=URI:${ID}`, '-addext', 'basicConstraints=critical,CA:TRUE'];
  openssl('req', '-new', '-key', join(folder, 'ec.key'), '-subj', '/', ...extra, '-out', asksForMore);
  const { certPem } = signRequest({ authority, csrPem: readFileSync(asksForMore, 'utf8'), now: NOW });
  t.equal(new X509Certificate(certPem).ca, false, 'who asks to be an authority is a leaf all the same');
});
