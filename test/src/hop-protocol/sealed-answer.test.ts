import {
  ABSENCES,
  acceptSealed,
  encodeSealedAnswer,
  readSealedAnswer,
  Recipient,
  REGION_KEYS,
  SEALED_KEYS_TYPE,
  sealingFor,
  sealTo,
  type Absence,
  type Hop,
  type IssuedKey,
  type KeyAnswer,
} from '@sigv4-keyd/hop-protocol';
import { exportKRegion, kDate, kRegion, kSecret, type KRegion } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { day } from '../support/days.js';

const date = day('20261122');
const scope = { region: 'us-east-1' };
const recipient = new Recipient();
const key = (id: string): KRegion => kRegion(kDate(kSecret(`secret of ${id}`), date), 'us-east-1');

function answerOf(ids: readonly string[], absent: Readonly<Record<string, Absence>> = {}): KeyAnswer<KRegion> {
  const issued = ids.map((accessKeyId, i): readonly [string, IssuedKey<KRegion>] => {
    const more = i % 2 === 0 ? {} : { expiresAt: 9, services: ['s3', 'sqs'] };
    return [accessKeyId, { facts: { accessKeyId, version: 3, createdAt: 7, ...more }, key: key(accessKeyId) }];
  });
  return { issued: new Map(issued), absent: new Map(Object.entries(absent)) };
}

const sealed = (answer: KeyAnswer<KRegion>, to = recipient, hop: Hop<KRegion> = REGION_KEYS): Buffer =>
  encodeSealedAnswer(hop, { date, scope, sealing: sealTo(to.publicKey, hop.path) }, answer);

const read = (
  body: Buffer,
  accessKeyIds: readonly string[],
  given: { readonly hop?: Hop<KRegion>; readonly recipient?: Recipient } = {},
): Promise<KeyAnswer<KRegion>> =>
  readSealedAnswer(
    given.hop ?? REGION_KEYS,
    { request: { date, accessKeyIds }, scope, recipient: given.recipient ?? recipient },
    body,
  );

const comparable = ({ issued, absent }: KeyAnswer<KRegion>): unknown => [
  [...issued.values()].map((each) => [each.facts, exportKRegion(each.key).toString('hex')]),
  [...absent],
];

t.test('an answer reads back as it was written, and shows no key on the way', async (t) => {
  const good = answerOf(['AKIAONE', 'AKIATWO'], { AKIATHREE: 'disabled' });
  const body = sealed(good);
  t.same(comparable(await read(body, ['AKIAONE', 'AKIATWO', 'AKIATHREE'])), comparable(good));
  for (const { key } of good.issued.values()) {
    const bytes = exportKRegion(key);
    for (const spelling of ['latin1', 'hex', 'base64'] as const) {
      t.notOk(body.toString('latin1').includes(bytes.toString(spelling)), spelling);
    }
  }
  t.notSame(sealed(good), body, 'sealed anew each time');
});

t.test('many, long and odd ones take as many pages as they need', async (t) => {
  const ids = Array.from({ length: 5_000 }, (_, i) => `AKIA${String(i).padStart(124, '0')}`);
  const most = answerOf(ids);
  t.same(comparable(await read(sealed(most), ids)), comparable(most));
  const services = Array.from({ length: 255 }, (_, i) => `s${String(i).padStart(62, '0')}`);
  const odd = new Map([
    ['AKIAODD', { facts: { accessKeyId: 'AKIAODD', version: 1, createdAt: 0, services }, key: key('odd') }],
  ]);
  const answer = { issued: odd, absent: new Map() };
  t.same(comparable(await read(sealed(answer), ['AKIAODD'])), comparable(answer));
  const none = answerOf([], Object.fromEntries(ABSENCES.map((reason, i) => [`AKIA${i}`, reason])));
  t.same(comparable(await read(sealed(none), [...none.absent.keys()])), comparable(none));
});

t.test('what was changed, cut, or meant for another is the failure of the parent', async (t) => {
  const ids = ['AKIAONE', 'AKIATWO'];
  const body = sealed(answerOf(ids));
  const refused = { code: 'parent-unavailable' };
  for (let at = 0; at < body.length; at += 1) {
    const changed = Buffer.from(body);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    await t.rejects(read(changed, ids), refused, `byte ${at}`);
  }
  for (const length of [0, 1, 5, 60, body.length - 11, body.length - 1]) {
    await t.rejects(read(body.subarray(0, length), ids), refused, `cut after ${length}`);
  }
  await t.rejects(read(Buffer.concat([body, body]), ids), refused, 'twice');
  await t.rejects(read(body, ids, { recipient: new Recipient() }), refused, 'sealed to another');
  await t.rejects(read(body, ids, { hop: { ...REGION_KEYS, path: '/v1/service-keys' } }), refused, 'another path');
  await t.rejects(read(body, ids, { hop: { ...REGION_KEYS, keyBytes: 16 } }), refused, 'keys of another length');
  await t.rejects(read(body, ['AKIAONE']), refused, 'more than was asked for');
  await t.rejects(read(body, [...ids, 'AKIATHREE']), refused, 'less than was asked for');
  const other = readSealedAnswer(
    REGION_KEYS,
    { request: { date: day('20261121'), accessKeyIds: ids }, scope, recipient },
    body,
  );
  await t.rejects(other, refused, 'another date');
});

t.test('copies of keys are overwritten once they are written or read', async (t) => {
  const copies: Uint8Array[] = [];
  const watched: Hop<KRegion> = {
    ...REGION_KEYS,
    exportKey: (of) => {
      const bytes = REGION_KEYS.exportKey(of);
      copies.push(bytes);
      return bytes;
    },
    importKey: (bytes) => {
      copies.push(bytes);
      return REGION_KEYS.importKey(bytes);
    },
  };
  await read(sealed(answerOf(['AKIAONE']), recipient, watched), ['AKIAONE'], { hop: watched });
  t.same(
    copies.map((bytes) => bytes.every((byte) => byte === 0)),
    [true, true],
  );
});

t.test('who asks says so, and is not sealed to what is no key', (t) => {
  const accept = acceptSealed(recipient, 'application/json');
  t.equal(accept, `${SEALED_KEYS_TYPE};to=${recipient.publicKey}, application/json`);
  t.match(sealingFor(accept, '/v1/region-keys'), { sender: /^[A-Za-z0-9_-]{43}$/ });
  for (const plain of [undefined, '', '*/*', 'application/json', 'application/octet-stream']) {
    t.equal(sealingFor(plain, '/v1/region-keys'), undefined, `as in earlier releases: ${plain}`);
  }
  for (const to of ['', ';to=', ';to=AAAA', `;to=${'*'.repeat(43)}`, `;to=${recipient.publicKey}A`, ';TO=x']) {
    t.throws(() => sealingFor(SEALED_KEYS_TYPE + to, '/v1/region-keys'), { code: 'malformed-request' }, to);
  }
  t.end();
});
