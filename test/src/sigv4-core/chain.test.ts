import {
  exportKRegion,
  exportKService,
  exportKSigning,
  kDate,
  kRegion,
  kSecret,
  kService,
  kSigning,
  scopeDateOf,
} from '@sigv4-keyd/sigv4-core';
import { createHmac } from 'node:crypto';
import t from 'tap';

/** What docs/why-a-chain.md says of the bytes. */
const SECRET = 'a secret that a machine drew';
const DATE = scopeDateOf(Date.UTC(2026, 10, 22));

function hmac(key: string | Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

function chained(key: string, ...parts: readonly string[]): string {
  return parts.reduce<Buffer>((last, part) => Buffer.from(hmac(last, part), 'hex'), Buffer.from(key)).toString('hex');
}

function serviceKey(region: string, service: string): string {
  return exportKService(kService(kRegion(kDate(kSecret(SECRET), DATE), region), service)).toString('hex');
}

t.test('parts in one text lose their boundaries, steps keep them', (t) => {
  t.equal(hmac(SECRET, 'to' + 'day'), hmac(SECRET, 'tod' + 'ay'), 'one HMAC over both');
  t.not(chained(SECRET, 'to', 'day'), chained(SECRET, 'tod', 'ay'), 'a chain');
  t.equal(hmac(SECRET, `${DATE}us-east-1s3`), hmac(SECRET, `${DATE}us-east-1s` + '3'));
  t.not(serviceKey('us-east-1', 's3'), serviceKey('us-east-1s', '3'));
  t.end();
});

t.test('the same names after another number of steps are another key', (t) => {
  const dayKey = kDate(kSecret(SECRET), DATE);
  const names = { day: chained(`AWS4${SECRET}`, DATE), region: exportKRegion(kRegion(dayKey, DATE)).toString('hex') };
  const service = exportKService(kService(kRegion(dayKey, DATE), DATE)).toString('hex');
  t.equal(new Set([names.day, names.region, service]).size, 3, 'a region and a service that are called like the day');
  t.end();
});

t.test('the keys are the chain, and the bare secret is another one', (t) => {
  const scope = [DATE, 'us-east-1', 's3', 'aws4_request'];
  const signing = kSigning(kService(kRegion(kDate(kSecret(SECRET), DATE), 'us-east-1'), 's3'));
  t.equal(exportKSigning(signing).toString('hex'), chained(`AWS4${SECRET}`, ...scope));
  t.not(chained(`AWS4${SECRET}`, ...scope), chained(SECRET, ...scope));
  t.end();
});
