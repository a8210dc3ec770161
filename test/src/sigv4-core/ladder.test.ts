import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import {
  exportKRegion,
  exportKService,
  exportKSigning,
  importKDate,
  importKRegion,
  importKService,
  importKSigning,
  kDate,
  kRegion,
  kRegionBytes,
  kRegionBytesOfSecret,
  kSecret,
  kService,
  kServiceBytes,
  kSigningBytes,
  kSigning,
  scopeDateOf,
  signatureMatches,
  signatureOf,
} from '@sigv4-keyd/sigv4-core';
import type { KDate, KRegion, KService } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { SECRET } from './policy.js';

const DATE = scopeDateOf(Date.UTC(2015, 7, 30));
const secretKey = kSecret(SECRET);
const dayKey = kDate(secretKey, DATE);
const regionKey = kRegion(dayKey, 'us-east-1');
const serviceKey = kService(regionKey, 'iam');
const signing = kSigning(serviceKey);

t.test('derives the published example', (t) => {
  t.equal(exportKSigning(signing).toString('hex'), 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9');
  t.end();
});

t.test('a rung that travelled derives the same keys below', (t) => {
  t.same(kRegionBytes(dayKey, 'us-east-1'), exportKRegion(regionKey), 'a key that only travels has the same bytes');
  t.same(kServiceBytes(exportKRegion(regionKey), 'iam'), exportKService(serviceKey));
  t.same(kSigningBytes(exportKRegion(regionKey), 'iam'), exportKSigning(signing));
  t.throws(() => kSigningBytes(new Uint8Array(31), 'iam'), RangeError);
  t.throws(() => kServiceBytes(new Uint8Array(31), 'iam'), RangeError);
  t.same(kRegionBytesOfSecret(Buffer.from(SECRET), DATE, 'us-east-1'), exportKRegion(regionKey), 'two rungs at once');
  t.throws(() => kRegionBytesOfSecret(new Uint8Array(), DATE, 'us-east-1'), RangeError);
  const travelled = kSigning(kService(importKRegion(exportKRegion(regionKey)), 'iam'));
  t.same(exportKSigning(travelled), exportKSigning(signing));
  t.same(exportKSigning(kSigning(importKService(exportKService(serviceKey)))), exportKSigning(signing));
  t.equal(signatureOf(importKSigning(exportKSigning(signing)), 'text'), signatureOf(signing, 'text'));
  t.end();
});

t.test('keys that only travel are the same for secrets and names of every length', (t) => {
  const differing: string[] = [];
  // Around what fits a block with the prefix, and beyond it; names as long as a DNS label, and longer.
  for (const secretLength of [1, 2, 31, 32, 40, 59, 60, 61, 64, 65, 128, 1]) {
    for (const nameLength of [1, 9, 62, 63, 64, 200, 3]) {
      const secret = Buffer.from('é/+Kz'.repeat(secretLength)).subarray(0, secretLength);
      const region = (nameLength % 2 === 0 ? 'eu-9' : 'é-9').repeat(nameLength).slice(0, nameLength);
      const climbed = kRegion(kDate(kSecret(secret), DATE), region);
      const service = kService(climbed, region);
      const [regionBytes, before] = [kRegionBytesOfSecret(secret, DATE, region), Buffer.from(secret)];
      const isRight =
        regionBytes.equals(exportKRegion(climbed)) &&
        kServiceBytes(regionBytes, region).equals(exportKService(service)) &&
        kSigningBytes(regionBytes, region).equals(exportKSigning(kSigning(service))) &&
        secret.equals(before);
      if (!isRight) differing.push(`${secretLength} and ${nameLength}`);
    }
  }
  t.same(differing, []);
  t.end();
});

t.test('a signature is the HMAC of the text, whatever its length and characters', (t) => {
  const key = exportKSigning(signing);
  for (const unit of ['a', 'é', '日', '\u{1f511}']) {
    // From before to beyond what is hashed without an Hmac object, and shorter again.
    for (const length of [0, 1, 55, 56, 64, 137, 138, 1023, 1024, 1025, 5000, 137]) {
      const text = unit.repeat(length);
      const expected = createHmac('sha256', key).update(text, 'utf8').digest('hex');
      t.equal(signatureOf(signing, text), expected, `${length} of ${unit}`);
      t.ok(signatureMatches(signing, text, expected));
      t.notOk(signatureMatches(signing, `${text}.`, expected));
    }
  }
  const other = kSigning(kService(regionKey, 's3'));
  t.not(signatureOf(other, 'text'), signatureOf(signing, 'text'), 'two keys in turn');
  t.equal(signatureOf(importKSigning(exportKSigning(other)), 'text'), signatureOf(other, 'text'));
  t.end();
});

t.test('a signature matches in one spelling only', (t) => {
  const good = signatureOf(signing, 'text');
  t.ok(signatureMatches(signing, 'text', good));
  const others = [good.toUpperCase(), '', good.slice(1), `${good}0`, ` ${good.slice(1)}`, good.repeat(2)];
  for (let at = 0; at < good.length; at += 1) {
    // The neighbour, one with the same low byte, and one that takes the place of two bytes.
    for (const other of [good.charCodeAt(at) ^ 1, good.charCodeAt(at) + 0x100, 0x1f511]) {
      others.push((good.slice(0, at) + String.fromCodePoint(other) + good.slice(at + 1)).slice(0, 64));
    }
  }
  for (const other of others) t.notOk(signatureMatches(signing, 'text', other), other);
  t.end();
});

t.test('an imported key is a copy', (t) => {
  const bytes = exportKSigning(signing);
  const key = importKSigning(bytes);
  bytes.fill(0);
  t.equal(signatureOf(key, 'text'), signatureOf(signing, 'text'));
  t.end();
});

t.test('an exported key is a copy', (t) => {
  exportKSigning(signing).fill(0);
  t.not(exportKSigning(signing).readUInt32BE(), 0);
  t.end();
});

t.test('only 32 bytes are a key', (t) => {
  for (const importKey of [importKDate, importKRegion, importKService, importKSigning]) {
    for (const length of [0, 31, 33, 64]) t.throws(() => importKey(new Uint8Array(length)), RangeError);
    t.doesNotThrow(() => importKey(new Uint8Array(32)));
  }
  t.throws(() => kSecret(''), RangeError);
  t.end();
});

t.test('keys show their rung and no bytes', (t) => {
  const rungs = { kSecret: secretKey, kDate: dayKey, kRegion: regionKey, kService: serviceKey, kSigning: signing };
  const bytes = [exportKRegion(regionKey), exportKService(serviceKey), exportKSigning(signing)];
  const forbidden = [
    SECRET,
    ...bytes.flatMap((key) => [key.toString('hex'), key.toString('base64'), key.toString('latin1')]),
    ...bytes.map((key) => inspect(key).slice(8, 24)),
  ];
  for (const [rung, key] of Object.entries(rungs)) {
    const shown = [
      inspect(key, { showHidden: true, depth: 9, customInspect: true }),
      inspect(key, { showHidden: true, depth: 9, customInspect: false }),
      inspect({ nested: [key] }, { depth: 9 }),
      JSON.stringify({ key }),
      String(key),
      JSON.stringify(structuredClone(Object.assign({}, key))),
      JSON.stringify(Object.getOwnPropertyDescriptors(key)),
    ];
    for (const text of shown) {
      t.match(text, rung, `names ${rung}`);
      for (const secret of forbidden) t.notOk(text.includes(secret), `${rung} shows no bytes`);
    }
  }
  t.end();
});

/**
 * Never called: the compiler is the test. Each line below must be an error; should one become legal, the directive
 * above it is unused, which is an error too, and the build of the tests fails.
 */
export function mustNotCompile(): readonly unknown[] {
  return [
    // @ts-expect-error kSecret is no kDate: the day cannot be skipped
    kRegion(secretKey, 'us-east-1'),
    // @ts-expect-error kDate is no kRegion: the region cannot be skipped
    kService(dayKey, 'iam'),
    // @ts-expect-error kRegion is no kService: the service cannot be skipped
    kSigning(regionKey),
    // @ts-expect-error kRegion is no kDate: a region cannot climb to make another region's key
    kRegion(regionKey, 'eu-west-1'),
    // @ts-expect-error kService is no kRegion: an edge cannot climb to make another service's key
    kService(serviceKey, 's3'),
    // @ts-expect-error kSigning is no kService: an edge that is bound to a purpose cannot make another purpose's key
    kSigning(signing),
    // @ts-expect-error kSigning is no kService, and is not sent as one
    exportKService(signing),
    // @ts-expect-error kService does not sign
    signatureOf(serviceKey, 'text'),
    // @ts-expect-error kSecret does not sign
    signatureOf(secretKey, 'text'),
    // @ts-expect-error kDate has no way out
    exportKRegion(dayKey),
    // @ts-expect-error only a kDate has regions below it
    kRegionBytes(secretKey, 'us-east-1'),
    // @ts-expect-error kSecret has no way out
    exportKRegion(secretKey),
    // @ts-expect-error kService is not sent where kSigning is
    exportKSigning(serviceKey),
    // @ts-expect-error any text is no scope date
    kDate(secretKey, '20150830'),
    // @ts-expect-error a purpose that is not known
    kSigning(serviceKey, 'aws5_request'),
    // @ts-expect-error a version that is not known
    kSecret(SECRET, 'AWS5'),
  ];
}

type IsKey<T> = T extends KRegion | KService ? 'a key' : 'no key';

/** The public face of a key is not enough to be one, nor are its bytes: the build fails when either becomes a key. */
export const notKeys: readonly [IsKey<Pick<KService, keyof KService>>, IsKey<Uint8Array>, IsKey<KDate>] = [
  'no key',
  'no key',
  'no key',
];
