import { createPrivateKey, createPublicKey, sign, X509Certificate } from 'node:crypto';
import { certificateIdentity, certificatesInPem, parseSpiffeId, subjectAltNames } from '@sigv4-keyd/fastify-mtls';
import { PkiError, readRequest } from '@sigv4-keyd/pki';
import { hold, type Target } from '../engine/target.js';
import { throws } from './ecdsa.js';

const COVERS = [
  'packages/fastify-mtls/dist/',
  'packages/pki/dist/read-request',
  'packages/pki/dist/der',
  'packages/pki/dist/pem',
];
const PRIVATE_KEY = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)]),
  format: 'der',
  type: 'pkcs8',
});
const PUBLIC_KEY_INFO = createPublicKey(PRIVATE_KEY).export({ format: 'der', type: 'spki' });
const ED25519 = sequence(Buffer.from('06032b6570', 'hex'));
const ALTERNATIVE_NAMES = Buffer.from('0603551d11', 'hex');
const EXTENSION_REQUEST = Buffer.from('06092a864886f70d01090e', 'hex');
const URI = 0x86;
const DNS = 0x82;
const IP = 0x87;
const EDGE = 'spiffe://keyd.example/edge/eu-west-1/s3/e1';
const WORDS = [
  '\x86',
  '\x82',
  '\x87\x04',
  '\xa0',
  '\xa4',
  '\x88',
  '\x81',
  EDGE,
  'spiffe://',
  ', URI:',
  ',',
  '"',
  '\\',
  '\0',
];

/** The names of a certificate: what stands in the sequence. The rest of it is as it should be. */
const names: Target = {
  name: 'certificate-names',
  covers: COVERS,
  seeds: [
    [tagged(URI, EDGE)],
    [
      tagged(URI, EDGE),
      tagged(DNS, 'localhost'),
      tagged(IP, '\x7f\0\0\x01'),
      tagged(0x81, 'a@b'),
      tagged(0x88, '*\x03'),
    ],
    [tagged(URI, 'spiffe://a/b, URI:spiffe://c/d'), tagged(0xa4, sequence())],
    [tagged(DNS, `a", URI:${EDGE}`), tagged(URI, EDGE), tagged(URI, EDGE)],
  ].map((parts) => Buffer.concat(parts)),
  words: WORDS,
  run(input) {
    const read = certificateOf(certificateDer(input));
    if (read === undefined) return false;
    const identity = certificateIdentity(read);
    const found = subjectAltNames(read);
    const uris = namesIn(input)?.filter(({ tag }) => tag === URI);
    if (uris !== undefined && found !== undefined) hold(found.uris.length === uris.length, 'as many URIs as there are');
    if (!identity.ok) return false;
    hold(uris?.length === 1 && uris[0]?.value === identity.id.uri, 'the one URI of the certificate, byte by byte');
    hold(parseSpiffeId(identity.id.uri)?.trustDomain === identity.id.trustDomain, 'a SPIFFE id');
    return true;
  },
};

/** Certificates as files hold them. */
const pem: Target = {
  name: 'certificate-pem',
  covers: COVERS,
  seeds: [
    pemOf('CERTIFICATE', certificateDer(tagged(URI, EDGE))),
    `text\n${pemOf('CERTIFICATE', certificateDer(Buffer.alloc(0)))}\n`,
  ],
  words: ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '-----', '\n', '=', 'MII'],
  mostBytes: 2048,
  run(input) {
    const text = input.toString('latin1');
    if (throws(() => certificatesInPem(text))) return false;
    const found = certificatesInPem(text);
    hold(found.length === text.split('-----BEGIN CERTIFICATE-----').length - 1, 'each certificate of the file');
    return true;
  },
};

/** The attributes of a request; the harness signs it. */
const attributes: Target = {
  name: 'certificate-request',
  covers: COVERS,
  seeds: [
    attributesOf(tagged(URI, EDGE), tagged(DNS, 'localhost'), tagged(IP, '\x7f\0\0\x01')),
    attributesOf(tagged(IP, '0123456789abcdef'), tagged(URI, EDGE)),
    Buffer.concat([attributesOf(tagged(URI, EDGE)), attributesOf(tagged(URI, EDGE))]),
  ],
  words: [...WORDS, '\x30\x00', '\x31\x00', EXTENSION_REQUEST.toString('latin1'), ALTERNATIVE_NAMES.toString('latin1')],
  run(input) {
    const request = pemOf('CERTIFICATE REQUEST', requestOf(input));
    if (throws(() => readRequest(request), PkiError)) return false;
    const { uris, dnsNames, ipAddresses } = readRequest(request);
    for (const name of [...uris, ...dnsNames]) hold(input.includes(Buffer.from(name, 'latin1')), 'no name is made up');
    return uris.length + dnsNames.length + ipAddresses.length > 0;
  },
};

/** A whole request, in DER. */
const request: Target = {
  name: 'certificate-request-der',
  covers: COVERS,
  seeds: [requestOf(attributesOf(tagged(URI, EDGE)))],
  words: [
    '\x30\x80',
    '\x30\x82',
    '\x03\x01\x00',
    '\x02\x01\x00',
    '\x06\x03\x2b\x65\x70',
    '\x30\x00',
    '\x06\x00',
    '\x05\x00',
  ],
  run: (input) => !throws(() => readRequest(pemOf('CERTIFICATE REQUEST', input)), PkiError),
};

export const CERTIFICATES: readonly Target[] = [names, pem, attributes, request];

function certificateOf(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

/** A certificate of these names, whose signature nobody made. */
function certificateDer(generalNames: Buffer): Buffer {
  const time = (text: string): Buffer => tagged(0x17, text);
  const name = sequence(tagged(0x31, sequence(Buffer.from('0603550403', 'hex'), tagged(0x0c, 'a'))));
  const extension = sequence(ALTERNATIVE_NAMES, tagged(0x04, sequence(generalNames)));
  const content = [
    ...[tagged(0xa0, Buffer.of(2, 1, 2)), Buffer.of(2, 1, 1), ED25519, name],
    ...[
      sequence(time('260101000000Z'), time('270101000000Z')),
      name,
      PUBLIC_KEY_INFO,
      tagged(0xa3, sequence(extension)),
    ],
  ];
  return sequence(sequence(...content), ED25519, bitString(Buffer.alloc(64)));
}

/** A request with these attributes, signed by its own key. */
function requestOf(attributes: Buffer): Buffer {
  const info = sequence(Buffer.of(2, 1, 0), sequence(), PUBLIC_KEY_INFO, tagged(0xa0, attributes));
  return sequence(info, ED25519, bitString(sign(null, info, PRIVATE_KEY)));
}

function attributesOf(...generalNames: readonly Buffer[]): Buffer {
  const extension = sequence(ALTERNATIVE_NAMES, tagged(0x04, sequence(...generalNames)));
  return sequence(EXTENSION_REQUEST, tagged(0x31, sequence(extension)));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.of(0), bytes]));
}

function tagged(tag: number, content: Buffer | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const long = bytes.length < 0x100 ? [0x81, bytes.length] : [0x82, bytes.length >> 8, bytes.length & 0xff];
  const length = bytes.length < 0x80 ? [bytes.length] : long;
  return Buffer.concat([Buffer.of(tag, ...length), bytes]);
}

/** Tags and values, one after the other, with lengths in their short or long form; undefined for all else. */
function namesIn(bytes: Buffer): readonly { readonly tag: number; readonly value: string }[] | undefined {
  const found: { tag: number; value: string }[] = [];
  for (let at = 0; at < bytes.length;) {
    const [tag = 0, first = 0] = bytes.subarray(at);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 3 || first === 0x80) return undefined;
    const start = at + 2 + lengthBytes;
    const length = lengthBytes === 0 ? first : Number.parseInt(bytes.toString('hex', at + 2, start) || '0', 16);
    if (start + length > bytes.length) return undefined;
    found.push({ tag, value: bytes.toString('latin1', start, start + length) });
    at = start + length;
  }
  return found;
}

function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
