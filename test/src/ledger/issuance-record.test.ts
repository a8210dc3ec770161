import {
  decodeIssuanceRecord,
  encodeIssuanceRecord,
  leafHash,
  MOST_KEYS_A_RECORD,
  recordLeafHash,
  type IssuanceRecord,
} from '@sigv4-keyd/ledger';
import { isScopeDate } from '@sigv4-keyd/sigv4-core';
import canonicalize from 'canonicalize';
import t from 'tap';
import { refusalOf } from './refusal.js';

const DATE = '20261122';
if (!isScopeDate(DATE)) throw new Error('not a scope date');

const withoutService = {
  v: 1 as const,
  id: '0b7e6a52-5e0c-4c64-9d6c-3a1f9c1f7a10',
  at: '2026-11-22T05:06:07.008Z',
  from: 'spiffe://keyd.example/region/eu-west-1/a',
  to: 'spiffe://keyd.example/edge/eu-west-1/s3/edge-7',
  rung: 'kService' as const,
  region: 'eu-west-1',
  date: DATE,
  accessKeyIds: ['AKIAEXAMPLE1', 'AKIAEXAMPLE2'],
  requestId: 'req-1',
};
const record: Extract<IssuanceRecord, { readonly rung: 'kService' }> = { ...withoutService, service: 's3' };
const ENCODED =
  '{"accessKeyIds":["AKIAEXAMPLE1","AKIAEXAMPLE2"],"at":"2026-11-22T05:06:07.008Z","date":"20261122",' +
  '"from":"spiffe://keyd.example/region/eu-west-1/a","id":"0b7e6a52-5e0c-4c64-9d6c-3a1f9c1f7a10",' +
  '"region":"eu-west-1","requestId":"req-1","rung":"kService","service":"s3",' +
  '"to":"spiffe://keyd.example/edge/eu-west-1/s3/edge-7","v":1}';

t.test('one record, one spelling', (t) => {
  t.equal(encodeIssuanceRecord(record), ENCODED);
  const shuffled = Object.fromEntries(Object.entries(record).reverse()) as unknown as IssuanceRecord;
  t.equal(encodeIssuanceRecord(shuffled), ENCODED, 'whatever the order of its parts');
  const odd = { ...record, requestId: 'a"b\\c/<>&~', accessKeyIds: ['Z_1', 'a_1', 'z_9'] };
  t.equal(encodeIssuanceRecord(odd), canonicalize(odd), 'as RFC 8785 has it');
  t.same(decodeIssuanceRecord(encodeIssuanceRecord(odd)), odd);
  t.same(decodeIssuanceRecord(ENCODED), record);
  t.same(recordLeafHash(record), leafHash(Buffer.from(ENCODED)));
  for (const other of [
    ` ${ENCODED}`,
    ENCODED.replace(':', ': '),
    ENCODED.replace('"s3"', '"\\u0073\\u0033"'),
    ENCODED.replace('"v":1', '"v":1.0'),
    ENCODED.replace('"v":1', '"v":1,"v":1'),
    JSON.stringify(record),
    ENCODED.slice(0, -1),
    '',
  ]) {
    t.equal(
      refusalOf(() => decodeIssuanceRecord(other)),
      'malformed-record',
      other.slice(0, 40),
    );
  }
  t.end();
});

t.test('a closed form', (t) => {
  const key = Buffer.alloc(32, 0xa5).toString('base64');
  const table: readonly (readonly [string, string, object])[] = [
    ['as it should be', 'accepted', {}],
    ['a key beside', 'malformed-record', { kService: key }],
    ['another version', 'malformed-record', { v: 2 }],
    ['kDate', 'malformed-record', { rung: 'kDate' }],
    ['kRegion with a service', 'malformed-record', { rung: 'kRegion' }],
    ['kSigning', 'accepted', { rung: 'kSigning' }],
    ['the bytes of a kSigning', 'malformed-record', { rung: 'kSigning', kSigning: key }],
    ['a public key for a service', 'accepted', { rung: 'publicKey' }],
    ['the bytes of a public key', 'malformed-record', { rung: 'publicKey', publicKey: key }],
    ['no ids', 'malformed-record', { accessKeyIds: [] }],
    ['unsorted', 'malformed-record', { accessKeyIds: ['B123', 'A123'] }],
    ['twice', 'malformed-record', { accessKeyIds: ['A123', 'A123'] }],
    ['a key for an id', 'malformed-record', { accessKeyIds: [key] }],
    ['most ids', 'accepted', { accessKeyIds: ids(MOST_KEYS_A_RECORD) }],
    ['too many ids', 'malformed-record', { accessKeyIds: ids(MOST_KEYS_A_RECORD + 1) }],
    ['no milliseconds', 'malformed-record', { at: '2026-11-22T05:06:07Z' }],
    ['another zone', 'malformed-record', { at: '2026-11-22T05:06:07.008+01:00' }],
    ['no such day', 'malformed-record', { at: '2026-02-30T05:06:07.008Z' }],
    ['year 12026', 'malformed-record', { at: '+012026-11-22T05:06:07.008Z' }],
    ['no such date', 'malformed-record', { date: '20260230' }],
    ['region in capitals', 'malformed-record', { region: 'EU-WEST-1' }],
    ['line break', 'malformed-record', { requestId: 'a\nb' }],
    ['empty id', 'malformed-record', { id: '' }],
    ['no SPIFFE id', 'malformed-record', { to: 'edge-7' }],
    ['URL', 'malformed-record', { from: 'https://keyd.example/region' }],
  ];
  for (const [what, code, change] of table) {
    const changed = { ...record, ...change } as IssuanceRecord;
    t.equal(
      refusalOf(() => encodeIssuanceRecord(changed)),
      code,
      what,
    );
  }
  t.equal(
    refusalOf(() => encodeIssuanceRecord(withoutService as unknown as IssuanceRecord)),
    'malformed-record',
    'no service',
  );
  t.equal(
    refusalOf(() => encodeIssuanceRecord({ ...withoutService, rung: 'kRegion' })),
    'accepted',
    'kRegion',
  );
  t.equal(
    refusalOf(() => encodeIssuanceRecord({ ...withoutService, rung: 'publicKey' })),
    'accepted',
    'public keys for all services',
  );
  t.equal(
    refusalOf(() => encodeIssuanceRecord(null as unknown as IssuanceRecord)),
    'malformed-record',
  );
  t.end();
});

t.test('a refusal shows nothing of what was refused', (t) => {
  const key = Buffer.alloc(32, 0xa5).toString('base64');
  for (const change of [{ [key]: 1 }, { accessKeyIds: [key] }, { region: key }, { requestId: `${key} ` }]) {
    for (const refuse of [
      () => encodeIssuanceRecord({ ...record, ...change }),
      () => decodeIssuanceRecord(`${JSON.stringify({ ...record, ...change })}x`),
    ]) {
      try {
        refuse();
        t.fail('accepted');
      } catch (error) {
        t.notMatch(`${String(error)} ${JSON.stringify(error)}`, key);
      }
    }
  }
  t.end();
});

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `AKIA${String(index).padStart(8, '0')}`);
}
