import { decodeKeyAnswer, encodeKeyAnswer, keyAnswer, keyRequest, REGION_KEYS } from '@sigv4-keyd/hop-protocol';
import { exportKRegion, kDate, kRegion, kSecret, type KRegion } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { day } from '../support/days.js';

const date = day('20261122');
const other = day('20261121');
const key = (id: string): KRegion => kRegion(kDate(kSecret(`secret of ${id}`), date), 'us-east-1');
const request = { date, accessKeyIds: ['AKIAONE', 'AKIATWO'] };
const scope = { region: 'us-east-1' };
const good = encodeKeyAnswer(REGION_KEYS, date, scope, {
  issued: new Map([
    [
      'AKIAONE',
      { facts: { accessKeyId: 'AKIAONE', version: 3, createdAt: 7, expiresAt: 9, services: ['s3'] }, key: key('one') },
    ],
  ]),
  absent: new Map([['AKIATWO', 'disabled' as const]]),
});

t.test('an answer reads back as it was written, over JSON', (t) => {
  const message = keyAnswer.parse(JSON.parse(JSON.stringify(good)));
  const answer = decodeKeyAnswer(REGION_KEYS, request, scope, message);
  const issued = answer.issued.get('AKIAONE');
  t.same(issued?.facts, { accessKeyId: 'AKIAONE', version: 3, createdAt: 7, expiresAt: 9, services: ['s3'] });
  t.ok(issued && exportKRegion(issued.key).equals(exportKRegion(key('one'))));
  t.same([...answer.absent], [['AKIATWO', 'disabled']]);
  t.end();
});

t.test('copies of keys are overwritten once they are written or read', (t) => {
  const copies: Uint8Array[] = [];
  const watched = {
    ...REGION_KEYS,
    exportKey: (of: KRegion) => {
      const bytes = REGION_KEYS.exportKey(of);
      copies.push(bytes);
      return bytes;
    },
    importKey: (bytes: Uint8Array) => {
      copies.push(bytes);
      return REGION_KEYS.importKey(bytes);
    },
  };
  const read = decodeKeyAnswer(watched, request, scope, good);
  encodeKeyAnswer(watched, date, scope, read);
  t.same(
    copies.map((bytes) => bytes.every((byte) => byte === 0)),
    [true, true],
  );
  t.end();
});

t.test('an answer to another question is not believed', (t) => {
  const [issued] = good.issued;
  const [absent] = good.absent;
  if (!issued || !absent) throw new Error('the good answer is incomplete');
  const wrong: Readonly<Record<string, typeof good>> = {
    'another date': { ...good, date: other },
    'another region': { ...good, region: 'eu-west-1' },
    'a service where none belongs': { ...good, service: 's3' },
    'an id never asked for': { ...good, absent: [{ ...absent, accessKeyId: 'AKIATHREE' }] },
    'an id twice': { ...good, absent: [absent, absent] },
    'an id both issued and absent': { ...good, absent: [absent, { ...absent, accessKeyId: 'AKIAONE' }] },
    'an id left out': { ...good, absent: [] },
  };
  for (const [name, message] of Object.entries(wrong)) {
    t.throws(() => decodeKeyAnswer(REGION_KEYS, request, scope, message), { code: 'parent-unavailable' }, name);
  }
  t.end();
});

t.test('what has another form is no request and no answer', (t) => {
  const requests: Readonly<Record<string, unknown>> = {
    'no date': { accessKeyIds: ['AKIAONE'] },
    'no such day': { ...request, date: '20260230' },
    'no ids': { ...request, accessKeyIds: [] },
    'an id twice': { ...request, accessKeyIds: ['AKIAONE', 'AKIAONE'] },
    'an id with a slash': { ...request, accessKeyIds: ['AKIA/ONE'] },
    'too many ids': { ...request, accessKeyIds: Array.from({ length: 5_001 }, (_, i) => `AKIA${i}`) },
  };
  for (const [name, body] of Object.entries(requests)) t.notOk(keyRequest.safeParse(body).success, name);
  const [issued] = good.issued;
  const answers: Readonly<Record<string, unknown>> = {
    'a short key': { ...good, issued: [{ ...issued, key: 'AAAA' }] },
    'a key that is not base64': { ...good, issued: [{ ...issued, key: '*'.repeat(44) }] },
    'an unknown reason': { ...good, absent: [{ accessKeyId: 'AKIATWO', reason: 'because' }] },
    'no version': { ...good, issued: [{ ...issued, version: undefined }] },
    'a version that is none': { ...good, issued: [{ ...issued, version: 0 }] },
    'a time that is no number': { ...good, issued: [{ ...issued, createdAt: 'NaN' }] },
  };
  for (const [name, body] of Object.entries(answers)) t.notOk(keyAnswer.safeParse(body).success, name);
  t.end();
});
