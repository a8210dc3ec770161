import t from 'tap';
import { ACCESS_KEY_ID, HOST, presigned, signed } from '../edge-verifier/client.js';
import { checkAftermath, each, inTurns, runAttacks, type Attack } from './attacks.js';
import { startFronts } from './fronts.js';
import { resigned } from './resigned.js';
import { addParameter, changeHeader, changePart, dropHeader, retarget, withHeader } from './tampering.js';
import { TARGET, isInHeader, isPresigned } from './vehicle.js';

const STEERING = [
  ['x-amz-copy-source', '/other-bucket/secret'],
  ['X-Amz-Copy-Source', '/other-bucket/secret'],
  ['x-amz-acl', 'public-read-write'],
  ['x-amz-grant-full-control', 'uri=everyone'],
  ['x-amz-website-redirect-location', 'https://evil.example/'],
  ['x-amz-meta-owner', 'somebody'],
  ['x-amz-tagging', 'a=b'],
  ['x-amz-bypass-governance-retention', 'true'],
  ['x-amz-security-token', 'of-somebody'],
  ['x-amz-target', 'DynamoDB_20120810.DeleteTable'],
  ['x-amz-', 'nameless'],
  ['x_amz_copy_source', '/other-bucket/secret'],
  ['X-Amz_Acl', 'public-read'],
  ['x.amz.acl', 'public-read'],
  ['x-http-method-override', 'DELETE'],
  ['X-HTTP-Method', 'DELETE'],
  ['x_method_override', 'DELETE'],
] as const;

const HEADERS: readonly Attack[] = [
  ...each(STEERING, ([name, value]) => ({
    name: `${name} added, unsigned`,
    reasons: ['header-not-signed'],
    make: (honest) => withHeader(honest, name, value),
  })),
  {
    name: 'a second x-amz-acl beside the signed one',
    honest: { headers: [['x-amz-acl', 'private']] },
    reasons: ['signature-mismatch'],
    make: (honest) => withHeader(honest, 'X-Amz-Acl', 'public-read'),
  },
  {
    name: 'x-amz-acl in another spelling beside the signed one',
    honest: { headers: [['x-amz-acl', 'private']] },
    reasons: ['header-not-signed'],
    make: (honest) => withHeader(honest, 'x_amz_acl', 'public-read'),
  },
  {
    name: 'a signed header with another value',
    honest: { headers: [['x-amz-acl', 'private']] },
    reasons: ['signature-mismatch'],
    make: (honest) => changeHeader(honest, 'x-amz-acl', () => 'public-read'),
  },
  {
    name: 'a signed header removed',
    honest: { headers: [['range', 'bytes=0-9']] },
    reasons: ['signed-header-absent'],
    make: (honest) => dropHeader(honest, 'range'),
  },
  {
    name: 'a header that is listed and absent, signed as if it were empty',
    reasons: ['signed-header-absent'],
    make: (honest) => resigned(changePart(honest, 'SignedHeaders', (names) => sorted(`${names};x-amz-absent`))),
  },
  {
    name: 'a signed header removed whose value is empty',
    honest: { headers: [['x-empty', '']] },
    reasons: ['signed-header-absent'],
    make: (honest) => dropHeader(honest, 'x-empty'),
  },
  {
    name: 'one of two copies of a signed header removed',
    honest: {
      headers: [
        ['x-twice', 'one'],
        ['x-twice', 'two'],
      ],
    },
    reasons: ['signature-mismatch'],
    make: (honest) => ({ ...honest, headers: honest.headers.filter(([, value]) => value !== 'two') }),
  },
  {
    name: 'the copies of a signed header in another order',
    honest: {
      headers: [
        ['x-twice', 'one'],
        ['x-twice', 'two'],
      ],
    },
    reasons: ['signature-mismatch'],
    make: (honest) => ({
      ...honest,
      headers: honest.headers.map(([name, value]) =>
        name === 'x-twice' ? [name, value === 'one' ? 'two' : 'one'] : [name, value],
      ),
    }),
  },
];

function sorted(names: string): string {
  return names.split(';').sort().join(';');
}

const LISTS: readonly Attack[] = [
  {
    name: 'host is not among the signed headers',
    reasons: ['host-not-signed', 'malformed-signed-headers'],
    make: (honest) =>
      resigned(
        changePart(withHeader(honest, 'x-other', 'a'), 'SignedHeaders', (names) =>
          sorted(names.replace(/^host;?|;host/, '') + (names === 'host' ? 'x-other' : ';x-other')),
        ),
      ),
  },
  {
    name: 'host is part of a signed name only',
    reasons: ['host-not-signed'],
    make: (honest) =>
      resigned(
        changePart(withHeader(honest, 'x-host', HOST), 'SignedHeaders', (names) =>
          sorted(names.replace('host', 'x-host')),
        ),
      ),
  },
  {
    name: 'x-amz-acl is the beginning of a signed name only',
    reasons: ['header-not-signed'],
    make: (honest) =>
      resigned(
        changePart(
          withHeader(withHeader(honest, 'x-amz-acl', 'public-read'), 'x-amz-acl-x', 'a'),
          'SignedHeaders',
          (names) => sorted(`${names};x-amz-acl-x`),
        ),
      ),
  },
  {
    name: 'Authorization among the signed headers',
    reasons: ['malformed-signed-headers'],
    make: (honest) => changePart(honest, 'SignedHeaders', (names) => sorted(`${names};authorization`)),
  },
  {
    name: 'signed headers out of order',
    reasons: ['malformed-signed-headers'],
    make: (honest) => resigned(changePart(withHeader(honest, 'a', 'b'), 'SignedHeaders', (names) => `${names};a`)),
  },
  {
    name: 'a signed header listed twice',
    reasons: ['malformed-signed-headers'],
    make: (honest) => resigned(changePart(honest, 'SignedHeaders', (names) => names.replace('host', 'host;host'))),
  },
  ...each(['Host', ';host', 'host;', 'host,', 'host ', 'host;;'], (written) => ({
    name: `the signed headers written ${JSON.stringify(written)}`,
    reasons: ['malformed-signed-headers', 'malformed-authorization', 'signed-header-absent'],
    make: (honest) => resigned(changePart(honest, 'SignedHeaders', (names) => names.replace('host', written))),
  })),
];

const QUERY: readonly Attack[] = [
  {
    name: 'a signed header moved into the query',
    honest: { headers: [['x-amz-acl', 'private']] },
    reasons: ['signed-header-absent'],
    make: (honest) => addParameter(dropHeader(honest, 'x-amz-acl'), 'X-Amz-Acl=private'),
  },
  {
    name: 'a signed parameter moved into a header',
    honest: { target: `${TARGET}?X-Amz-Acl=private` },
    reasons: ['header-not-signed'],
    make: (honest) =>
      withHeader(
        retarget(honest, (target) => target.replace(/X-Amz-Acl=private&?/, '').replace(/\?$/, '')),
        'x-amz-acl',
        'private',
      ),
  },
  {
    name: 'the payload hash of a header contradicted in the query',
    signed: isInHeader,
    reasons: ['both-mechanisms'],
    make: (honest) => resigned(addParameter(honest, 'X-Amz-Content-Sha256=UNSIGNED-PAYLOAD')),
  },
  {
    name: 'the payload hash of a URL contradicted in a header',
    signed: isPresigned,
    reasons: ['header-parameter-conflict'],
    make: (honest) =>
      withHeader(honest, 'x-amz-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
  },
  {
    name: 'a session token in an unsigned header of a URL',
    signed: isPresigned,
    reasons: ['header-parameter-conflict', 'header-not-signed'],
    make: (honest) => withHeader(honest, 'x-amz-security-token', 'of-somebody'),
  },
  ...each(['versionId=1', 'acl', '&&x', 'delete=', 'X-Amz-More=1'], (more) => ({
    name: `the parameter ${more} added`,
    reasons: ['signature-mismatch'],
    make: (honest) => addParameter(honest, more),
  })),
  ...each(['X-Amz-Acl=public-read', 'x-amz-acl=public-read', 'X-Amz-%41cl=public-read', 'X-AMZ-ACL'], (more) => ({
    name: `${more} beside the signed X-Amz-Acl`,
    honest: { target: `${TARGET}?X-Amz-Acl=private` },
    reasons: ['duplicate-parameter'],
    make: (honest) => resigned(addParameter(honest, more)),
  })),
  ...each(['X-Amz-Signature=0', 'x-amz-signature=0', 'X-Amz-Signatur%65=0', 'X-Amz-Date=20261121T100000Z'], (more) => ({
    name: `${more} twice in a URL`,
    signed: isPresigned,
    reasons: ['duplicate-parameter'],
    make: (honest) => addParameter(honest, more),
  })),
  ...each(['[]', '[0]', '.', '%00', '%20', '+'], (ending) => ({
    name: `X-Amz-Credential${ending}, which some parsers join with the right one`,
    signed: isPresigned,
    reasons: ['signature-mismatch'],
    make: (honest) => addParameter(honest, `X-Amz-Credential${ending}=AKIAOTHER`),
  })),
  {
    name: 'a parameter of a list with another value',
    honest: { target: `${TARGET}?tag=a&tag=b` },
    reasons: ['signature-mismatch'],
    make: (honest) => retarget(honest, (target) => target.replace('tag=b', 'tag=c')),
  },
  {
    name: 'semicolons that some parsers take for "&"',
    honest: { target: `${TARGET}?prefix=a` },
    reasons: ['signature-mismatch'],
    make: (honest) => retarget(honest, (target) => target.replace('prefix=a', 'prefix=a;acl')),
  },
  {
    name: 'a plus in place of a signed %2B',
    honest: { target: `${TARGET}?prefix=a%2Bb` },
    reasons: ['signature-mismatch'],
    make: (honest) => retarget(honest, (target) => target.replace('a%2Bb', 'a+b')),
  },
];

/** A path that was signed, and one that somebody might take for the same. */
const PATHS = [
  ['/bucket/a%2Fb', '/bucket/a/b'],
  ['/bucket/a/b', '/bucket/a%2Fb'],
  ['/bucket/a%252Fb', '/bucket/a%2Fb'],
  ['/bucket/a%2Fb', '/bucket/a%252Fb'],
  ['/bucket/a//b', '/bucket/a/b'],
  ['/bucket/a', '/bucket//a'],
  ['/bucket/a', '/bucket/./a'],
  ['/bucket/a', '/bucket/x/../a'],
  ['/bucket/x/../a', '/bucket/a'],
  ['/bucket/a', '/bucket/x%2F..%2Fa'],
  ['/bucket/a', '/bucket/a/'],
  ['/bucket/a', '/Bucket/a'],
  ['/bucket/a', '/bucket/a;x=y'],
  ['/bucket/a', '/bucket\\a'],
  ['/bucket/a', '/bucket/a%00'],
  ['/bucket/a', '/bucket/a%20'],
  ['/bucket/a+b', '/bucket/a%20b'],
  ['/bucket/a%20b', '/bucket/a+b'],
  ['/bucket/a%3Facl', '/bucket/a?acl'],
  ['/bucket/a', '//bucket/a'],
  ['/bucket/caf%C3%A9', '/bucket/cafe%CC%81'],
  ['/bucket/a', '/other/a'],
] as const;

const PATH_ATTACKS: readonly Attack[] = [
  ...each(PATHS, ([path, other]) => ({
    name: `${path} signed, ${other} sent`,
    honest: { target: path },
    reasons: ['signature-mismatch'],
    make: (honest) => retarget(honest, (target) => other + (target.includes('?') ? joined(other, target) : '')),
  })),
  ...each(['GET', 'DELETE', 'POST', 'PATCH'], (method) => ({
    name: `PUT signed, ${method} sent`,
    reasons: ['signature-mismatch'],
    make: (honest) => ({ ...honest, method }),
  })),
];

/** The query of a presigned target, behind a path that may have one of its own. */
function joined(path: string, target: string): string {
  return (path.includes('?') ? '&' : '?') + target.slice(target.indexOf('?') + 1);
}

const HOSTS: readonly Attack[] = [
  ...each(
    ['elsewhere.example', `${HOST}.evil.example`, `evil${HOST}`, `${HOST}:8443`, `${HOST}.`, '127.0.0.1', 'x'],
    (host) => ({
      name: `signed for the host ${host}`,
      reasons: ['host-not-served'],
      make: (_honest, vehicle) => vehicle.sign({ host }),
    }),
  ),
  ...each(
    [`${HOST}@evil.example`, `evil.example/${HOST}`, `evil.example#.${HOST}`, `evil.example?.${HOST}`, `a b.${HOST}`],
    (host) => ({
      name: `the host ${host}`,
      reasons: ['host-not-served'],
      make: (honest) => resigned(changeHeader(honest, 'host', () => host)),
    }),
  ),
  {
    name: 'the host twice, both signed',
    reasons: ['duplicate-header'],
    make: (honest) => resigned(withHeader(honest, 'Host', HOST)),
  },
  {
    name: 'another host that is served than the one that was signed',
    reasons: ['signature-mismatch'],
    make: (honest) => changeHeader(honest, 'host', () => `other.${HOST}`),
  },
  {
    name: 'a host that is not served, and one that is in X-Forwarded-Host',
    at: ({ name }) => name !== 'forward auth, x-forwarded',
    reasons: ['host-not-served'],
    make: async (_honest, vehicle) =>
      withHeader(await vehicle.sign({ host: 'elsewhere.example' }), 'x-forwarded-host', HOST),
  },
  {
    name: 'a host that is not served, and one that is in X-Forwarded-Host, which the front says, too',
    at: ({ name }) => name === 'forward auth, x-forwarded',
    reasons: ['ambiguous-original-request'],
    make: async (_honest, vehicle) =>
      withHeader(await vehicle.sign({ host: 'elsewhere.example' }), 'x-forwarded-host', HOST),
  },
];

const CONNECTION: readonly Attack[] = [
  ...each(['host', 'x-amz-acl', 'X-Amz-Acl', 'close, x-amz-acl', 'keep-alive,\tx-amz-acl'], (options) => ({
    name: `Connection: ${options}, so that the upstream does not see what was signed`,
    honest: { headers: [['x-amz-acl', 'private']] },
    at: ({ kind }) => kind === 'proxy',
    reasons: ['connection-names-signed-header'],
    make: (honest) => withHeader(honest, 'connection', options),
  })),
];

/** Where the normalised path is signed, encoded once more: the one that was signed, and one taken for the same. */
const STANDARD_PATHS = [
  ['/a/b', '/a/./b', 'path-not-normalised'],
  ['/a/b', '/a/x/../b', 'path-not-normalised'],
  ['/a/b', '/a//b', 'path-not-normalised'],
  ['/a/b', '//a/b', 'path-not-normalised'],
  ['/a/b', '/a/b/.', 'path-not-normalised'],
  ['/a/b', '/a/x/%2e%2e/b', 'signature-mismatch'],
  ['/a/b', '/a/b/', 'signature-mismatch'],
  ['/a/b', '/a%2Fb', 'signature-mismatch'],
  ['/a%2Fb', '/a/b', 'signature-mismatch'],
  ['/a%2Fb', '/a%252Fb', 'signature-mismatch'],
  ['/a%252Fb', '/a%2Fb', 'signature-mismatch'],
  ['/ab', '/%61b', 'signature-mismatch'],
  ['/a%20b', '/a+b', 'signature-mismatch'],
] as const;

t.test('paths of services that sign the normalised one', async (t) => {
  const service = 'execute-api';
  const fronts = await startFronts(t, { service });
  const attacks = each(STANDARD_PATHS, ([target, other, reason]) => ({
    name: `${target} signed, ${other} sent`,
    honest: { service, target },
    reasons: [reason],
    make: (honest) => retarget(honest, (whole) => other + (whole.includes('?') ? joined(other, whole) : '')),
  }));
  await runAttacks(t, fronts, attacks);
});

t.test('unsigned input honoured', async (t) => {
  const fronts = await startFronts(t);
  const attacks = { HEADERS, LISTS, QUERY, PATH_ATTACKS, HOSTS, CONNECTION };
  for (const [name, group] of Object.entries(attacks)) {
    await t.test(name.toLowerCase().replace('_', ' '), (t) => runAttacks(t, fronts, inTurns(group)));
  }
  await t.test('identity and way', async (t) => {
    const spoofs = [
      'x-keyd-access-key-id',
      'X-Keyd_Access.Key-Id',
      'x-forwarded-for',
      'X_Forwarded_Host',
      'forwarded',
      'x-real-ip',
      'x-original-url',
      'X-Rewrite-URL',
    ];
    const { edge } = fronts;
    for (const front of fronts.all) {
      for (const name of spoofs) {
        for (const draft of [{ headers: [[name, 'AKIASPOOFED']] }, { unsigned: [[name, 'AKIASPOOFED']] }] as const) {
          for (const message of [signed(draft), presigned(draft)]) {
            edge.upstream.wire = '';
            const reply = await front.send(message);
            const isOurs = /keyd/i.test(name);
            if (front.kind === 'forward-auth' && isOurs) {
              t.equal(reply.headers['x-keyd-reason'], 'reserved-header', `${front.name}: ${name}`);
              continue;
            }
            if (front.name === 'forward auth, x-forwarded' && name === 'X_Forwarded_Host') continue;
            t.ok(reply.status < 300, `${front.name}: ${name} changes nothing`);
            t.notMatch(edge.upstream.wire, 'SPOOFED', `${front.name}: ${name} goes no further`);
            if (front.kind === 'proxy') {
              t.strictSame(edge.upstream.lastHeader('x-keyd-access-key-id'), [ACCESS_KEY_ID]);
              t.strictSame(edge.upstream.lastHeader('x-forwarded-host'), [HOST]);
            }
            if (front.kind === 'forward-auth') t.equal(reply.headers['x-keyd-access-key-id'], ACCESS_KEY_ID);
          }
        }
      }
    }
    for (const { seen } of fronts.sites) t.notOk(seen.some(({ accessKeyId }) => accessKeyId !== ACCESS_KEY_ID));
  });
  await checkAftermath(t, fronts);
});
