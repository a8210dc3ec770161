import t from 'tap';
import { formatAmzDate } from '@sigv4-keyd/sigv4-core';
import { NOW } from '../edge-verifier/client.js';
import { checkAftermath, each, inTurns, runAttacks, type Attack } from './attacks.js';
import { startFronts } from './fronts.js';
import { resigned } from './resigned.js';
import { addParameter, changeHeader, changeParameter, changePart, dropHeader, withHeader } from './tampering.js';
import { isEcdsa, isHmac, isInHeader, isPresigned } from './vehicle.js';

// Whoever reads a date as a local one is off by a day here.
process.env['TZ'] = 'Pacific/Kiritimati';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const SCOPE_DATES: readonly Attack[] = [
  ...each(['20261121', '20261115', '20261123', '20251122', '20261222'], (date) => ({
    name: `the key of ${date} under the x-amz-date of today`,
    reasons: ['scope-date-mismatch'],
    make: (honest) => resigned(changePart(honest, 'Credential', (value) => value.replace('/20261122/', `/${date}/`))),
  })),
  ...each(['20261121T100000Z', '20261123T100000Z', '20261121T235959Z'], (date) => ({
    name: `the key of today under the x-amz-date ${date}`,
    reasons: ['scope-date-mismatch'],
    make: (honest) => resigned(changePart(honest, 'Date', () => date)),
  })),
  ...each(
    ['20261132', '20260229', '20261300', '2026112', '202611222', '00000000', 'today', '', ' 20261122'],
    (date) => ({
      name: `the scope date ${JSON.stringify(date)}`,
      reasons: ['malformed-credential'],
      make: (honest) => resigned(changePart(honest, 'Credential', (value) => value.replace('/20261122/', `/${date}/`))),
    }),
  ),
  {
    name: 'the time of today in a header, the day of the key in the query',
    signed: isPresigned,
    reasons: ['header-parameter-conflict', 'header-not-signed'],
    make: (honest) => withHeader(honest, 'x-amz-date', '20261122T100001Z'),
  },
  {
    name: 'the time of today in the query, another one in the signed header',
    signed: isInHeader,
    reasons: ['both-mechanisms'],
    make: (honest) => resigned(addParameter(honest, 'X-Amz-Date=20261122T100001Z')),
  },
];

const FRESHNESS: readonly Attack[] = [
  ...each([901 * SECOND, 60 * MINUTE, DAY, 6 * DAY], (age) => ({
    name: `signed ${age / SECOND} seconds ago`,
    honest: { now: NOW - 900 * SECOND },
    signed: isInHeader,
    reasons: ['request-too-old'],
    make: (_honest, vehicle) => vehicle.sign({ now: NOW - age }),
  })),
  ...each([901 * SECOND, 60 * MINUTE], (lead) => ({
    name: `signed ${lead / SECOND} seconds from now`,
    honest: { now: NOW + 900 * SECOND },
    signed: isInHeader,
    reasons: ['request-in-future'],
    make: (_honest, vehicle) => vehicle.sign({ now: NOW + lead }),
  })),
  ...each([-9 * DAY, -400 * DAY, 2 * DAY, 400 * DAY], (offset) => ({
    name: `signed ${offset / DAY} days from now`,
    reasons: ['date-outside-window'],
    make: (_honest, vehicle) => vehicle.sign({ now: NOW + offset }),
  })),
  {
    name: 'an old x-amz-date, and a Date header of now',
    signed: isInHeader,
    reasons: ['request-too-old'],
    make: async (_honest, vehicle) =>
      withHeader(await vehicle.sign({ now: NOW - 60 * MINUTE }), 'date', new Date(NOW).toUTCString()),
  },
  {
    name: 'no x-amz-date, and a signed Date header',
    signed: isInHeader,
    reasons: ['missing-date'],
    make: async (_honest, vehicle) =>
      dropHeader(await vehicle.sign({ headers: [['date', new Date(NOW).toUTCString()]] }), 'x-amz-date'),
  },
  {
    name: 'the local time of the attacker with the mark of UTC',
    signed: isInHeader,
    reasons: ['request-in-future', 'scope-date-mismatch'],
    make: (honest) => resigned(changePart(honest, 'Date', () => formatAmzDate(NOW + 13 * 60 * MINUTE))),
  },
];

const DATES = [
  'NaN',
  'Infinity',
  'now',
  '-1',
  '0',
  '20261122',
  '20261122T100000',
  '20261122t100000z',
  '20261122T100000z',
  '20261122T100000+0000',
  '20261122T100000.000Z',
  '20261122T240000Z',
  '20261122T106000Z',
  '20261122T100060Z',
  '20261122T1000Z',
  '20261122T100000ZZ',
  '2026-11-22T10:00:00Z',
  '20261122 100000Z',
  '20261122T-10000Z',
  '20261122T1e0000Z',
  '00000000T000000Z',
  '99991399T999999Z',
  '20261122T100000Z,20261122T100000Z',
  'Sun, 22 Nov 2026 10:00:00 GMT',
  '1795341600',
  '0x7EA1122T100000Z',
  '9'.repeat(400),
];

const MALFORMED: readonly Attack[] = each(DATES, (date) => ({
  name: `the date ${JSON.stringify(date.slice(0, 40))}`,
  reasons: ['malformed-date'],
  make: (honest) => resigned(changePart(honest, 'Date', () => date)),
}));

const EXPIRES = [
  '0',
  '-1',
  '-300',
  '+300',
  '0300',
  '3e2',
  '0x12c',
  '300.0',
  '300s',
  '300,300',
  'NaN',
  'Infinity',
  'null',
  '',
  ' 300',
  '300 ',
  '\u0663\u0660\u0660',
];
const TOO_LONG = ['604801', '2147483648', '4294967296', '9007199254740993', '18446744073709551616', '9'.repeat(400)];

const PRESIGNED: readonly Attack[] = [
  ...each(EXPIRES, (expires) => ({
    name: `the expiry ${JSON.stringify(expires)}`,
    signed: isPresigned,
    reasons: ['malformed-expires'],
    make: (honest) => resigned(changePart(honest, 'Expires', () => expires)),
  })),
  ...each(TOO_LONG, (expires) => ({
    name: `the expiry ${expires.slice(0, 24)}, ${expires.length} digits`,
    honest: { expiresSeconds: 604_800 },
    signed: isPresigned,
    reasons: ['expires-too-long'],
    make: (honest) => resigned(changePart(honest, 'Expires', () => expires)),
  })),
  {
    name: 'a longer life than was signed',
    signed: isPresigned,
    reasons: ['signature-mismatch'],
    make: (honest) => changePart(honest, 'Expires', () => '3600'),
  },
  {
    name: 'the expiry twice',
    signed: isPresigned,
    reasons: ['duplicate-parameter'],
    make: (honest) => resigned(addParameter(honest, 'X-Amz-Expires=604800')),
  },
  {
    name: 'the expiry in another case beside the signed one',
    signed: isPresigned,
    reasons: ['duplicate-parameter'],
    make: (honest) => resigned(addParameter(honest, 'x-amz-expires=604800')),
  },
  {
    name: 'the expiry in a header',
    signed: isPresigned,
    reasons: ['malformed-expires'],
    make: (honest) =>
      withHeader(
        changeParameter(honest, 'X-Amz-Expires', () => undefined),
        'x-amz-expires',
        '300',
      ),
  },
  {
    name: 'a URL in the second when it has expired',
    honest: { now: NOW - 299 * SECOND, expiresSeconds: 300 },
    signed: isPresigned,
    reasons: ['presigned-expired'],
    make: (_honest, vehicle) => vehicle.sign({ now: NOW - 300 * SECOND, expiresSeconds: 300 }),
  },
  {
    name: 'a URL of seven days, a second after its end',
    honest: { now: NOW - 7 * DAY + SECOND, expiresSeconds: 604_800 },
    signed: isPresigned,
    reasons: ['presigned-expired'],
    make: (_honest, vehicle) => vehicle.sign({ now: NOW - 7 * DAY, expiresSeconds: 604_800 }),
  },
  ...each([901 * SECOND, 12 * 60 * MINUTE], (lead) => ({
    name: `presigned ${lead / SECOND} seconds ahead, to live longer`,
    honest: { now: NOW + 900 * SECOND, expiresSeconds: 604_800 },
    signed: isPresigned,
    reasons: ['presigned-not-yet-valid'],
    make: (_honest, vehicle) => vehicle.sign({ now: NOW + lead, expiresSeconds: 604_800 }),
  })),
];

/** Another word in the scope, and the key of the scope that comes of it. */
function scoped(from: string | RegExp, to: string): Pick<Attack, 'make'> {
  return { make: (honest) => resigned(changePart(honest, 'Credential', (value) => value.replace(from, to))) };
}

const SCOPES: readonly Attack[] = [
  ...each(
    ['us-east-1', 'eu-west-2', 'eu-west-1a', 'eu-west', 'eu', 'west-1', 'eu-west-11', 'aws-global'],
    (region) => ({
      name: `the region ${region}, with its key`,
      signed: isHmac,
      reasons: ['wrong-region'],
      ...scoped('/eu-west-1/', `/${region}/`),
    }),
  ),
  ...each(
    ['', 'EU-WEST-1', 'Eu-west-1', '*', '.', '..', 'eu-west-1 ', ' eu-west-1', 'eu-west-1;us-east-1', '%65u-west-1'],
    (region) => ({
      name: `the region ${JSON.stringify(region)}, with its key`,
      signed: isHmac,
      reasons: ['malformed-credential'],
      ...scoped('/eu-west-1/', `/${region}/`),
    }),
  ),
  ...each(['sqs', 's3-object-lambda', 's3express', 's', 's33', 'ses3', 's3-outposts'], (service) => ({
    name: `the service ${service}, with its key`,
    reasons: ['wrong-service'],
    ...scoped('/s3/', `/${service}/`),
  })),
  ...each(['', 'S3', '*', 's3 ', 's3|sqs'], (service) => ({
    name: `the service ${JSON.stringify(service)}, with its key`,
    reasons: ['malformed-credential'],
    ...scoped('/s3/', `/${service}/`),
  })),
  ...each(
    ['AWS4_REQUEST', 'aws4-request', 'aws4_reques', 'aws4_request2', 'aws5_request', 'vpc_request', ''],
    (end) => ({
      name: `the terminator ${JSON.stringify(end)}, with its key`,
      reasons: ['wrong-terminator'],
      ...scoped(/\/aws4_request$/, `/${end}`),
    }),
  ),
  {
    name: 'the terminator before the service',
    reasons: ['malformed-credential'],
    ...scoped('/s3/aws4_request', '/aws4_request/s3'),
  },
  {
    name: 'a scope that goes on behind the terminator',
    reasons: ['malformed-credential'],
    ...scoped(/$/, '/more'),
  },
  {
    name: 'a scope with a slash at its end',
    reasons: ['malformed-credential'],
    ...scoped(/$/, '/'),
  },
  {
    name: 'a scope without a terminator',
    reasons: ['malformed-credential'],
    ...scoped(/\/aws4_request$/, ''),
  },
  {
    name: 'a scope without a service',
    reasons: ['malformed-credential'],
    ...scoped('/s3/', '/'),
  },
  {
    name: 'a scope of ECDSA that names a region',
    signed: isEcdsa,
    reasons: ['malformed-credential'],
    ...scoped('/20261122/', '/20261122/eu-west-1/'),
  },
  {
    name: 'a slash in the access key id, which moves every part by one',
    reasons: ['malformed-credential'],
    ...scoped('/', '/AKIAOTHER/'),
  },
  {
    name: 'the access key id left out of the credential',
    reasons: ['malformed-credential'],
    make: (honest) => changePart(honest, 'Credential', (value) => value.slice(value.indexOf('/') + 1)),
  },
  {
    name: 'parts of the scope in the encoding of URLs',
    signed: isInHeader,
    reasons: ['malformed-credential'],
    make: (honest) => resigned(changePart(honest, 'Credential', (value) => value.replaceAll('/', '%2F'))),
  },
];

/** Another region set, rightly signed. */
function regionSet(set: string | undefined): Pick<Attack, 'signed' | 'make'> {
  return {
    signed: isEcdsa,
    make: (honest) =>
      resigned(
        changeParameter(
          changeHeader(honest, 'x-amz-region-set', () => set ?? ''),
          'X-Amz-Region-Set',
          () => set,
        ),
      ),
  };
}

const REGION_SETS: readonly Attack[] = [
  ...each(['us-east-1', 'us-*', 'eu-west-11', 'eu-west', 'eu-west-1-*', 'e,u', 'eu-west-2,eu-west-3'], (set) => ({
    name: `the region set ${set}`,
    reasons: ['region-not-in-set'],
    ...regionSet(set),
  })),
  ...each(['', ',', '*-1', 'eu-*-1', '**', 'EU-WEST-1', 'eu-west-1,', '?', 'eu-west-1;x', '[eu-west-1]'], (set) => ({
    name: `the region set ${JSON.stringify(set)}`,
    reasons: ['malformed-region-set'],
    ...regionSet(set),
  })),
  {
    name: 'no region set in the URL, one in an unsigned header',
    signed: (vehicle) => isEcdsa(vehicle) && isPresigned(vehicle),
    reasons: ['missing-region-set'],
    make: (honest) =>
      withHeader(
        changeParameter(honest, 'X-Amz-Region-Set', () => undefined),
        'x-amz-region-set',
        '*',
      ),
  },
  {
    name: 'the region set widened after it was signed',
    signed: isEcdsa,
    reasons: ['signature-mismatch'],
    make: (honest) =>
      changeParameter(
        changeHeader(honest, 'x-amz-region-set', () => '*'),
        'X-Amz-Region-Set',
        () => '*',
      ),
  },
];

t.test('freshness and scope', async (t) => {
  t.equal(new Date(NOW).getDate(), 23, 'the local day is not that of UTC');
  const fronts = await startFronts(t);
  const attacks = { SCOPE_DATES, FRESHNESS, MALFORMED, PRESIGNED, SCOPES, REGION_SETS };
  for (const [name, group] of Object.entries(attacks)) {
    await t.test(name.toLowerCase().replace('_', ' '), (t) => runAttacks(t, fronts, inTurns(group)));
  }
  await checkAftermath(t, fronts);
});
