import { inspect } from 'node:util';
import {
  ECDSA_PUBLIC_KEY_BYTES,
  ecdsaPrivateKey,
  ecdsaPublicKey,
  ecdsaSignatureMatches,
  ecdsaSignatureOf,
  exportEcdsaPublicKey,
  importEcdsaPublicKey,
  isEcdsaSignature,
  scalarFromCandidate,
} from '@sigv4-keyd/sigv4-core';
import fc from 'fast-check';
import t from 'tap';
import { ACCESS_KEY_ID, publicKey, SECRET } from '../sigv4-core/policy.js';
import { derOf, integersOf, mirrored, ORDER, verifiesElsewhere } from './ecdsa-clients.js';

const TEXT = 'AWS4-ECDSA-P256-SHA256\n20261122T120000Z\n20261122/s3/aws4_request\nhash';

t.test('what we sign verifies elsewhere, and what is mirrored here', (t) => {
  const property = fc.property(
    fc.string({ minLength: 1 }),
    fc.stringMatching(/^[A-Za-z0-9_]{3,128}$/),
    fc.string(),
    (secret, accessKeyId, text) => {
      const key = ecdsaPrivateKey(secret, accessKeyId);
      const known = exportEcdsaPublicKey(ecdsaPublicKey(key));
      const signature = ecdsaSignatureOf(key, text);
      const verifies = (presented: string, message = text): boolean =>
        ecdsaSignatureMatches(importEcdsaPublicKey(known), message, presented);
      return (
        verifiesElsewhere(known, text, signature) &&
        verifies(signature) &&
        verifies(mirrored(signature)) &&
        !verifies(signature, `${text}.`)
      );
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 60 }));
  t.end();
});

t.test('the key pair is of the secret and of the access key id, and of nothing else', (t) => {
  const bytes = (secret: string, id: string): string =>
    exportEcdsaPublicKey(ecdsaPublicKey(ecdsaPrivateKey(secret, id))).toString('hex');
  t.equal(bytes(SECRET, ACCESS_KEY_ID), bytes(SECRET, ACCESS_KEY_ID));
  t.not(bytes(SECRET, ACCESS_KEY_ID), bytes(SECRET, `${ACCESS_KEY_ID}2`));
  t.not(bytes(SECRET, ACCESS_KEY_ID), bytes(`${SECRET}2`, ACCESS_KEY_ID));
  t.throws(() => ecdsaPrivateKey('', ACCESS_KEY_ID), { name: 'RangeError', message: /empty/ });
  t.end();
});

t.test('a candidate of the KDF becomes a scalar of 1 to n - 1, or is passed over', (t) => {
  const scalarOf = (candidate: bigint): bigint | undefined => {
    const scalar = scalarFromCandidate(Buffer.from(candidate.toString(16).padStart(64, '0'), 'hex'));
    return scalar && BigInt(`0x${scalar.toString('hex')}`);
  };
  const most = 2n ** 256n - 1n;
  for (const candidate of [0n, 1n, 0xffn, 0xffffn, 2n ** 128n - 1n, ORDER - 3n, ORDER - 2n]) {
    t.equal(scalarOf(candidate), candidate + 1n);
  }
  for (const candidate of [ORDER - 1n, ORDER, ORDER + 1n, most]) t.equal(scalarOf(candidate), undefined);
  t.end();
});

t.test('no print of a key holds its bytes, and the private half has no export', (t) => {
  const key = ecdsaPrivateKey(SECRET, ACCESS_KEY_ID);
  t.equal(inspect(key, { depth: 9, showHidden: true }), '[ecdsaPrivateKey]');
  t.equal(JSON.stringify({ key, public: publicKey() }), '{"key":"[ecdsaPrivateKey]","public":"[ecdsaPublicKey]"}');
  t.equal(`${key.toString()} ${publicKey().toString()}`, '[ecdsaPrivateKey] [ecdsaPublicKey]');
  t.same(Object.keys(key), ['rung']);
  // @ts-expect-error a private key is no public key, so that no code can export one
  t.throws(() => exportEcdsaPublicKey(key));
  t.end();
});

t.test('a public key is a point of the curve', (t) => {
  const bytes = exportEcdsaPublicKey(publicKey());
  t.equal(bytes.length, ECDSA_PUBLIC_KEY_BYTES);
  t.ok(exportEcdsaPublicKey(importEcdsaPublicKey(bytes)).equals(bytes));
  const off = Buffer.from(bytes);
  off[40] = (off[40] ?? 0) ^ 1;
  const broken: readonly Uint8Array[] = [
    off,
    Buffer.alloc(64),
    Buffer.alloc(64, 0xff),
    bytes.subarray(0, 63),
    Buffer.concat([bytes, Buffer.of(0)]),
    Buffer.alloc(0),
  ];
  for (const bad of broken) {
    t.throws(() => importEcdsaPublicKey(bad), { name: 'RangeError', message: /64 bytes, x and y of a point/ });
  }
  t.end();
});

t.test('a signature has one spelling', (t) => {
  const key = ecdsaPrivateKey(SECRET, ACCESS_KEY_ID);
  const signature = ecdsaSignatureOf(key, TEXT);
  const { r, s } = integersOf(signature);
  t.equal(derOf(r, s), signature, 'ours is the canonical one');
  const [rHex, sHex] = [r, s].map((value) => value.toString(16).padStart(64, '0'));
  const inFull = (content: string): string => `30${hexByte(content.length / 2)}${content}`;
  const zeroAnd = '022100';
  const rows: readonly (readonly [what: string, spelling: string])[] = [
    ['upper case', signature.toUpperCase()],
    ['a byte after it', `${signature}00`],
    ['a byte after it, counted', inFull(`${signature.slice(4)}00`)],
    ['a third integer', inFull(`${signature.slice(4)}020101`)],
    ['the length in its long form', `3081${signature.slice(2)}`],
    ['an indefinite length', `3080${signature.slice(4)}0000`],
    ['a length that is too small', `30${hexByte(signature.length / 2 - 3)}${signature.slice(4)}`],
    ['needless zeros', inFull(`02220000${rHex ?? ''}${zeroAnd}${sHex ?? ''}`)],
    ['negative integers', inFull(`0220ff${(rHex ?? '').slice(2)}0220ff${(sHex ?? '').slice(2)}`)],
    ['integers of nothing', '3004020002000000'],
    ['an integer of nothing, and one', `3026020002${signature.slice(4)}`],
    ['r is zero', derOf(0n, s)],
    ['s is zero', derOf(r, 0n)],
    ['integers of 34 bytes', inFull(`02220100${rHex ?? ''}02220100${sHex ?? ''}`)],
    ['a set, not a sequence', `31${signature.slice(2)}`],
    ['a bit string, not an integer', `30${signature.slice(2, 4)}03${signature.slice(6)}`],
    ['cut', signature.slice(0, -2)],
    ['half a byte', signature.slice(0, -1)],
    ['r and s without DER', `${rHex ?? ''}${sHex ?? ''}`],
    ['empty', ''],
    ['base64', Buffer.from(signature, 'hex').toString('base64')],
    ['a line feed at its end', `${signature}\n`],
    ['very long', '30'.repeat(100_000)],
  ];
  for (const [what, spelling] of rows) {
    t.notOk(isEcdsaSignature(spelling), what);
    t.notOk(ecdsaSignatureMatches(publicKey(), TEXT, spelling), `${what}: verifies nothing`);
  }
  for (const [what, spelling] of [
    ['r + n', derOf(r + ORDER, s)],
    ['s + n', derOf(r, s + ORDER)],
    ['r is n', derOf(ORDER, s)],
    ['s is n', derOf(r, ORDER)],
    ['r and s are 1', derOf(2n ** 64n, 2n ** 64n)],
  ] as const) {
    t.notOk(ecdsaSignatureMatches(publicKey(), TEXT, spelling), `${what}: verifies nothing`);
  }
  t.ok(ecdsaSignatureMatches(publicKey(), TEXT, signature));
  t.end();
});

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}
