import { Agent } from 'node:http';
import { connect } from 'node:net';
import { scopeDateOf, sha256Hex, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { staticSecrets, type Sigv4Options } from '@sigv4-keyd/sigv4-server';
import t from 'tap';
import {
  ACCESS_KEY_ID,
  NOW,
  presigned,
  SECRET,
  send,
  sendRaw,
  signed,
  wireOf,
  type Message,
} from '../edge-verifier/client.js';
import { chunked, withChangedByte } from '../edge-verifier/chunked-client.js';
import { knownKeys, SITES, startSite } from './sites.js';

const JSON_TYPE = [['content-type', 'application/json']] as const;
const TEXT_TYPE = [['content-type', 'text/plain']] as const;
const ORDER = '{"order":7}';
const MINUTE = 60_000;

/** The signature, wherever it is, with its last digit changed. */
function otherSignature(text: string): string {
  return text.replace(
    /(Signature=[0-9a-f]{63})([0-9a-f])/,
    (_all, kept: string, last: string) => kept + (last === '0' ? '1' : '0'),
  );
}

const REFUSED: Readonly<Record<string, readonly [message: Message, status: number, reason: string]>> = {
  'no signature': [{ ...signed(), headers: [['host', 'files.example.com']] }, 403, 'missing-authentication'],
  'another signature': [
    { ...signed(), headers: signed().headers.map(([name, value]) => [name, otherSignature(value)] as const) },
    403,
    'signature-mismatch',
  ],
  'a wrong secret': [signed({ secret: 'wrong' }), 403, 'signature-mismatch'],
  'an unknown access key': [signed({ accessKeyId: 'AKIANOBODYKNOWSTHIS' }), 403, 'access-key-unknown'],
  'another body': [
    { ...signed({ method: 'PUT', body: ORDER }), body: Buffer.from('{"order":8}') },
    400,
    'payload-hash-mismatch',
  ],
  'a body where none was signed': [
    { ...signed({ method: 'PUT' }), body: Buffer.from(ORDER) },
    400,
    'payload-hash-mismatch',
  ],
  'another body, hash not stated': [
    { ...signed({ method: 'PUT', body: ORDER, payload: { kind: 'body', sha256: '0'.repeat(64) } }) },
    403,
    'signature-mismatch',
  ],
  'another target': [{ ...signed({ target: '/a' }), target: '/b' }, 403, 'signature-mismatch'],
  'an unsigned header that matters': [signed({ unsigned: [['x-amz-acl', 'public-read']] }), 403, 'header-not-signed'],
  'another host': [signed({ host: 'other.example.com' }), 403, 'host-not-served'],
  'an old request': [signed({ now: NOW - 16 * MINUTE }), 403, 'request-too-old'],
  'another region': [signed({ region: 'us-east-1' }), 400, 'wrong-region'],
  'an unsigned body': [
    signed({ method: 'PUT', body: ORDER, payload: { kind: 'unsigned' } }),
    501,
    'payload-mode-refused',
  ],
  'events in chunks': [signed({ method: 'PUT', payload: { kind: 'streaming-events' } }), 501, 'payload-mode-refused'],
  'an expired URL': [presigned({ now: NOW - 10 * MINUTE, expiresSeconds: 300 }), 403, 'presigned-expired'],
  'a URL for another target': [
    { ...presigned(), target: presigned().target.replace('/?', '/x?') },
    403,
    'signature-mismatch',
  ],
  'a body above the bound': [signed({ method: 'PUT', body: 'x'.repeat(2_000) }), 400, 'body-too-large'],
};

for (const build of Object.values(SITES)) {
  t.test(build.name, async (t) => {
    const { address, seen } = await startSite(t, build, { longestBody: 1_000 });
    const accepted = async (
      message: Message,
      body: string,
      options: Parameters<typeof send>[2] = {},
    ): Promise<void> => {
      const before = seen.length;
      const reply = await send(address, message, options);
      t.equal(reply.status, 200, reply.body);
      t.strictSame(seen.slice(before), [{ accessKeyId: ACCESS_KEY_ID, body }]);
    };
    await accepted(signed({ target: '/api/a%20b?c=d' }), 'null');
    await accepted(presigned({ target: '/x' }), 'null');
    const post = signed({ method: 'POST', headers: JSON_TYPE, body: ORDER, target: '/api/orders' });
    await accepted(post, ORDER);
    await accepted(post, ORDER, { chunked: true });
    await accepted(signed({ method: 'PUT', headers: TEXT_TYPE, body: 'x'.repeat(1_000) }), 'x'.repeat(1_000));

    for (const [what, [message, status, reason]] of Object.entries(REFUSED)) {
      const before = seen.length;
      const reply = await send(address, message);
      t.match(reply, { status, headers: { 'x-keyd-reason': reason, 'content-type': 'application/xml' } }, what);
      t.equal(seen.length, before, `${what} reaches nobody`);
    }
  });

  t.test(`${build.name}: bodies as they come`, async (t) => {
    const { address, seen } = await startSite(t, build, { longestBody: 100_000 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    const text = 'ü'.repeat(40_000);
    const put = signed({ method: 'PUT', headers: TEXT_TYPE, body: text });
    t.equal((await send(address, put, { agent })).status, 200);
    t.equal((await send(address, put, { agent, chunked: true })).status, 200);
    t.strictSame(
      seen.map(({ body }) => body),
      [text, text],
      'in many parts',
    );

    const tooLong = signed({ method: 'PUT', headers: TEXT_TYPE, body: 'x'.repeat(300_000) });
    t.match(await send(address, tooLong, { agent, chunked: true }), { headers: { 'x-keyd-reason': 'body-too-large' } });
    t.equal((await send(address, put, { agent })).status, 200, 'the connection goes on');

    const none = signed({ method: 'POST', headers: JSON_TYPE });
    const empty = await sendRaw(
      address,
      wireOf(none, ['connection: close', 'transfer-encoding: chunked'], '0\r\n\r\n'),
    );
    t.match(empty, /^HTTP\/1.1 (?:200|400)/, 'chunks without a byte are read to their end');
    t.notMatch(empty, 'x-keyd-reason');

    const before = seen.length;
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
    socket.write(wireOf(put, [`content-length: ${put.body.length}`], 'only the beginning'));
    socket.resume().end();
    await new Promise((resolve) => socket.once('close', resolve));
    t.equal((await send(address, put)).status, 200);
    t.equal(seen.length, before + 1, 'a body that breaks off reaches nobody');
  });
}

for (const build of Object.values(SITES)) {
  t.test(`${build.name}: bodies in signed chunks`, async (t) => {
    const { address, seen } = await startSite(t, build, { longestBody: 50_000 });
    const data = Buffer.from('x'.repeat(20_000));
    for (const kind of ['streaming-signed', 'streaming-signed-trailer', 'streaming-unsigned-trailer'] as const) {
      const put = await chunked({ kind, data, headers: TEXT_TYPE });
      for (const options of [{}, { chunked: true }]) {
        t.equal((await send(address, put, options)).status, 200, kind);
        t.equal(seen.pop()?.body, data.toString(), 'the application reads the data alone');
      }
      const changed = await send(address, withChangedByte(put, 10_000));
      t.match(String(changed.headers['x-keyd-reason']), /mismatch|malformed/, kind);
      const cut = { ...put, body: put.body.subarray(0, -7) };
      t.match((await send(address, cut)).status, 400, 'a body without its end');
      const tooLong = await chunked({ kind, data: Buffer.alloc(50_001), headers: TEXT_TYPE });
      t.match(await send(address, tooLong), { headers: { 'x-keyd-reason': 'body-too-large' } });
    }
    const wrong = await chunked({ kind: 'streaming-signed', data, headers: TEXT_TYPE, secret: 'wrong' });
    t.match(await send(address, wrong), { headers: { 'x-keyd-reason': 'signature-mismatch' } });
    const checked = signed({ method: 'PUT', headers: [...TEXT_TYPE, ['x-amz-checksum-crc32', 'AAAAAA==']], body: 'x' });
    t.match(await send(address, checked), { headers: { 'x-keyd-reason': 'checksum-mismatch' } });
    t.strictSame(seen, [], 'nothing of these reaches anybody');
  });
}

const { fastifySite: fastify, expressSite: express, nodeSite: plain } = SITES;

t.test('a body whose hash is not stated is signed and checked all the same', async (t) => {
  const { address, seen } = await startSite(t, express, { keys: knownKeys('execute-api') });
  const sha256 = sha256Hex(Buffer.from(ORDER));
  const draft = { method: 'POST', service: 'execute-api', headers: JSON_TYPE, body: ORDER };
  const post = signed({ ...draft, payload: { kind: 'body', sha256 } });
  t.equal((await send(address, post)).status, 200);
  t.equal(seen[0]?.body, ORDER);
  const other = await send(address, { ...post, body: Buffer.from('{"order":8}') });
  t.match(other, { status: 403, headers: { 'x-keyd-reason': 'signature-mismatch', 'x-amzn-errortype': /./ } });
});

t.test('unsigned bodies pass where they are allowed', async (t) => {
  const { address, seen } = await startSite(t, plain, { payloads: ['exact', 'unsigned'], longestBody: 10 });
  const put = signed({ method: 'PUT', body: 'x'.repeat(5_000), payload: { kind: 'unsigned' } });
  t.equal((await send(address, put)).status, 200, 'they are not held, and so not bounded');
  t.equal(seen[0]?.body.length, 5_000);
});

t.test('what was revoked while the body came is not accepted', async (t) => {
  const keys = knownKeys();
  let isRevoked = false;
  const revocable: Sigv4Options['keys'] = {
    ...{ region: keys.region, service: keys.service },
    find: async (...question) => {
      const finding = await keys.find(...question);
      if (!finding.found) return finding;
      const objection = (): 'scope-revoked' | undefined => (isRevoked ? 'scope-revoked' : undefined);
      isRevoked = true;
      return { ...finding, objection };
    },
  };
  const { address, seen } = await startSite(t, plain, { keys: revocable });
  t.match(await send(address, signed({ method: 'PUT', body: 'x' })), { headers: { 'x-keyd-reason': 'scope-revoked' } });
  t.strictSame(seen, []);
});

t.test('static secrets verify SigV4A, too, where it is accepted', async (t) => {
  const draft = { regionSet: ['eu-west-1', 'us-*'] };
  const site = await startSite(t, plain, { algorithms: ['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'] });
  for (const message of [signed(draft), presigned(draft), signed()]) {
    t.equal((await send(site.address, message)).status, 200);
  }
  for (const [reason, message] of [
    ['signature-mismatch', signed({ ...draft, secret: 'wrong' })],
    ['region-not-in-set', signed({ regionSet: ['us-*'] })],
    ['access-key-unknown', signed({ ...draft, accessKeyId: 'AKIANOBODYKNOWSTHIS' })],
  ] as const) {
    t.equal((await send(site.address, message)).headers['x-keyd-reason'], reason);
  }
  const hmacOnly = await startSite(t, plain);
  t.equal((await send(hmacOnly.address, signed(draft))).headers['x-keyd-reason'], 'unsupported-algorithm');
});

t.test('keys that cannot be had are an outage, not a refusal', async (t) => {
  const find = (): Promise<never> => Promise.reject(new Error('no way to the keys'));
  const { address } = await startSite(t, fastify, { keys: { region: 'eu-west-1', service: 's3', find } });
  t.match(await send(address, signed()), { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } });
});

t.test('refusals are told to the log', async (t) => {
  const told: string[] = [];
  const { address } = await startSite(t, plain, { onRefused: ({ reason }, id) => told.push(`${reason} ${id}`) });
  const reply = await send(address, signed({ secret: 'wrong' }));
  t.strictSame(told, [`signature-mismatch ${String(reply.headers['x-amz-request-id'])}`]);
});

t.test('with the debug switch the sender is shown what its request looks like from here', async (t) => {
  const token = 'a-session-token-nobody-may-see';
  for (const service of ['s3', 'sts', 'dynamodb']) {
    const { address } = await startSite(t, plain, { keys: knownKeys(service), debugSignatures: true });
    const headers = [
      ['cookie', 'sid=1234'],
      ['x-amz-server-side-encryption-customer-key', 'a2V5'],
    ] as const;
    const right = signed({ service, method: 'POST', headers, body: ORDER });
    const expected = /Signature=([0-9a-f]{64})/.exec(right.headers.at(-1)?.[1] ?? '')?.[1] ?? '';
    t.match(expected, /^[0-9a-f]{64}$/);
    const changed = right.headers.map(([name, value]) => [name, otherSignature(value)] as const);
    const { status, body } = await send(address, { ...right, headers: changed });
    t.equal(status, 403);
    t.match(body, 'CanonicalRequest');
    t.match(body, 'StringToSign');
    t.match(body, 'AWS4-HMAC-SHA256');
    t.match(body, `20261122/eu-west-1/${service}/aws4_request`);
    t.match(body, 'host:files.example.com');
    for (const secret of [
      expected,
      SECRET,
      token,
      'sid=1234',
      'a2V5',
      otherSignature(`Signature=${expected}`).slice(10),
    ]) {
      t.notOk(body.includes(secret), `${service} does not show ${secret}`);
    }
  }
  const { address } = await startSite(t, plain);
  t.notMatch(
    (await send(address, signed({ secret: 'wrong' }))).body,
    /CanonicalRequest|StringToSign/,
    'off by default',
  );
});

t.test('static secrets: keys of nine days at most, and no key for a wrong setting', (t) => {
  const keys = staticSecrets({ [ACCESS_KEY_ID]: SECRET }, { region: 'eu-west-1', service: 's3' });
  const keyOf = (date: ScopeDate): unknown => {
    const scope = { date, region: 'eu-west-1', service: 's3', terminator: 'aws4_request' } as const;
    const finding = keys.find(ACCESS_KEY_ID, scope, 'AWS4-HMAC-SHA256', undefined);
    return 'key' in finding ? finding.key : undefined;
  };
  const day = (n: number): ScopeDate => scopeDateOf(NOW + n * 86_400_000);
  const first = keyOf(day(0));
  t.equal(keyOf(day(0)), first, 'derived once');
  for (let n = 1; n < 9; n += 1) keyOf(day(n));
  t.equal(keyOf(day(0)), first, 'nine days are held');
  keyOf(day(9));
  t.not(keyOf(day(0)), first, 'the tenth puts the oldest out');
  const scope = { region: 'eu-west-1', service: 's3' };
  t.throws(() => staticSecrets({ AKIA: '' }, scope), /secret of AKIA is missing/);
  t.throws(() => staticSecrets({ AKIA: undefined as unknown as string }, scope), /secret of AKIA is missing/);
  t.throws(() => staticSecrets({ 'a/b': SECRET }, scope), /access key id/);
  t.throws(() => staticSecrets({}, { ...scope, region: 'Europe' }), /region/);
  t.throws(() => staticSecrets({}, { ...scope, service: '' }), /service/);
  t.end();
});

t.test('options that would verify nothing are refused at once', async (t) => {
  await t.rejects(startSite(t, plain, { hosts: [] }), /hosts is empty/);
  await t.rejects(startSite(t, plain, { hosts: ['https://x'] }), /must be HOST/);
  await t.rejects(startSite(t, plain, { clockSkewSeconds: Number.NaN }), /clockSkewSeconds/);
  await t.rejects(startSite(t, plain, { presigned: { longestSeconds: 604_801 } }), /longestSeconds/);
});
