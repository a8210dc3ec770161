import { REFUSALS, sha256Hex, type RefusalReason } from '@sigv4-keyd/sigv4-core';
import { ERROR_CODES, FRONT_REFUSALS, answerTo, escapeXml, type AnswerShape } from '@sigv4-keyd/sigv4-answers';
import { Agent } from 'node:http';
import t from 'tap';
import { ACCESS_KEY_ID, HOST, NOW, SECRET, presigned, send, signed, type Message, type Reply } from './client.js';
import { startEdge } from './edge-under-test.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A message with one header's value changed after signing; undefined removes the header. */
function changed(message: Message, name: string, change: (value: string) => string | undefined): Message {
  const headers = message.headers.flatMap(([header, value]): [string, string][] => {
    if (header !== name) return [[header, value]];
    const changedValue = change(value);
    return changedValue === undefined ? [] : [[header, changedValue]];
  });
  return { ...message, headers };
}

function retargeted(message: Message, change: (target: string) => string): Message {
  return { ...message, target: change(message.target) };
}

/** A change of the same length to the signature, wherever it is. */
function otherSignature(text: string): string {
  return text.replace(
    /(Signature=)([0-9a-f])/,
    (_all, name: string, digit: string) => `${name}${digit === '0' ? '1' : '0'}`,
  );
}

interface Case {
  readonly message: Message;
  readonly status: number;
  readonly code: string;
}

const later = (minutes: number): Message => signed({ now: NOW + minutes * MINUTE });

/** Requests that are refused over the wire, each with its reason. */
const CASES: Readonly<Partial<Record<RefusalReason, Case | Case[]>>> = {
  'duplicate-header': {
    message: signed({ unsigned: [['x-amz-date', '20261122T100000Z']] }),
    status: 400,
    code: 'InvalidRequest',
  },
  'duplicate-parameter': {
    message: retargeted(presigned(), (target) => `${target}&x-amz-date=20261122T100000Z`),
    status: 400,
    code: 'InvalidRequest',
  },
  'missing-authentication': {
    message: changed(signed(), 'authorization', () => undefined),
    status: 403,
    code: 'AccessDenied',
  },
  'both-mechanisms': {
    message: { ...presigned(), headers: [...presigned().headers, ...signed().headers.slice(-1)] },
    status: 400,
    code: 'InvalidRequest',
  },
  'unsupported-algorithm': {
    message: changed(signed(), 'authorization', (value) => value.replace('HMAC-SHA256', 'HMAC-SHA512')),
    status: 400,
    code: 'AuthorizationHeaderMalformed',
  },
  'malformed-authorization': {
    message: changed(signed(), 'authorization', (value) => value.replace('SignedHeaders', 'Headers')),
    status: 400,
    code: 'AuthorizationHeaderMalformed',
  },
  'malformed-credential': {
    message: changed(signed(), 'authorization', (value) => value.replace('/s3/', '/')),
    status: 400,
    code: 'AuthorizationHeaderMalformed',
  },
  'wrong-terminator': {
    message: changed(signed(), 'authorization', (value) => value.replace('aws4_request', 'aws5_request')),
    status: 400,
    code: 'AuthorizationHeaderMalformed',
  },
  'malformed-signed-headers': {
    message: changed(signed(), 'authorization', (value) => value.replace('=host', '=Host')),
    status: 400,
    code: 'AuthorizationHeaderMalformed',
  },
  'malformed-signature': {
    message: changed(signed(), 'authorization', (value) => value.slice(0, -1)),
    status: 400,
    code: 'AuthorizationHeaderMalformed',
  },
  'missing-date': { message: changed(signed(), 'x-amz-date', () => undefined), status: 403, code: 'AccessDenied' },
  'malformed-date': { message: changed(signed(), 'x-amz-date', () => 'today'), status: 403, code: 'AccessDenied' },
  'malformed-expires': {
    message: retargeted(presigned(), (target) => target.replace('Expires=300', 'Expires=3e2')),
    status: 400,
    code: 'AuthorizationQueryParametersError',
  },
  'expires-too-long': {
    message: retargeted(presigned(), (target) => target.replace('Expires=300', 'Expires=604801')),
    status: 400,
    code: 'AuthorizationQueryParametersError',
  },
  'scope-date-mismatch': {
    message: changed(signed(), 'authorization', (value) => value.replace('20261122', '20261121')),
    status: 400,
    code: 'AuthorizationHeaderMalformed',
  },
  'request-too-old': { message: later(-16), status: 403, code: 'RequestTimeTooSkewed' },
  'request-in-future': { message: later(16), status: 403, code: 'RequestTimeTooSkewed' },
  'presigned-expired': { message: presigned({ now: NOW - 6 * MINUTE }), status: 403, code: 'AccessDenied' },
  'presigned-not-yet-valid': { message: presigned({ now: NOW + 16 * MINUTE }), status: 403, code: 'AccessDenied' },
  'date-outside-window': {
    message: presigned({ now: NOW - 9 * DAY, expiresSeconds: 604_800 }),
    status: 403,
    code: 'RequestTimeTooSkewed',
  },
  'wrong-region': { message: signed({ region: 'us-east-1' }), status: 400, code: 'AuthorizationHeaderMalformed' },
  'wrong-service': { message: signed({ service: 'sqs' }), status: 400, code: 'AuthorizationHeaderMalformed' },
  'header-not-signed': {
    message: signed({ unsigned: [['x-amz-acl', 'public-read']] }),
    status: 403,
    code: 'AccessDenied',
  },
  'signed-header-absent': {
    message: changed(signed({ headers: [['range', 'bytes=0-1']] }), 'range', () => undefined),
    status: 403,
    code: 'SignatureDoesNotMatch',
  },
  'host-not-served': { message: signed({ host: 'elsewhere.example' }), status: 403, code: 'AccessDenied' },
  'malformed-payload-hash': {
    message: changed(signed(), 'x-amz-content-sha256', () => 'E3B0'),
    status: 400,
    code: 'InvalidArgument',
  },
  'signature-mismatch': [
    { message: changed(signed(), 'authorization', otherSignature), status: 403, code: 'SignatureDoesNotMatch' },
    { message: retargeted(presigned(), otherSignature), status: 403, code: 'SignatureDoesNotMatch' },
    { message: signed({ secret: 'another' }), status: 403, code: 'SignatureDoesNotMatch' },
    { message: { ...signed({ target: '/a' }), target: '/b' }, status: 403, code: 'SignatureDoesNotMatch' },
    { message: { ...signed({ target: '/a%2Fb' }), target: '/a/b' }, status: 403, code: 'SignatureDoesNotMatch' },
    { message: { ...signed({ target: '/?a=1' }), target: '/?a=2' }, status: 403, code: 'SignatureDoesNotMatch' },
    { message: { ...signed(), method: 'DELETE' }, status: 403, code: 'SignatureDoesNotMatch' },
    { message: changed(signed(), 'host', () => `other.${HOST}`), status: 403, code: 'SignatureDoesNotMatch' },
  ],
  'access-key-unknown': { message: signed({ accessKeyId: 'AKIANOBODY' }), status: 403, code: 'InvalidAccessKeyId' },
};

function reasonOf(reply: Reply): unknown {
  return reply.headers['x-keyd-reason'];
}

t.test('each refusal has its status and code, and nothing of it reaches the upstream', async (t) => {
  const { proxy, upstream, log } = await startEdge(t);
  for (const [reason, cases] of Object.entries(CASES)) {
    for (const { message, status, code } of [cases].flat()) {
      const reply = await send(proxy, message);
      t.equal(reasonOf(reply), reason);
      t.equal(reply.status, status, `${reason}: status`);
      t.match(reply.body, `<Code>${code}</Code>`, `${reason}: code`);
      t.match(reply.headers['x-amz-request-id'], /^[0-9a-f-]{36}$/);
      t.ok(
        log.some((line) => line.includes(`"reason":"${reason}"`)),
        `${reason}: logged`,
      );
    }
  }
  t.equal(upstream.wire, '');
});

t.test('clocks: fifteen minutes either way are fine, and S3 clients are told how far they are off', async (t) => {
  const { proxy } = await startEdge(t);
  for (const minutes of [-15, 15]) t.equal((await send(proxy, later(minutes))).status, 200, `${minutes} minutes`);
  const skewed = await send(proxy, later(16));
  t.match(skewed.body, '<ServerTime>2026-11-22T10:00:00.000Z</ServerTime>');
  t.match(skewed.body, '<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>');
  const misplaced = await send(proxy, signed({ region: 'us-east-1' }));
  t.match(misplaced.body, '<Region>eu-west-1</Region>');
  const head = await send(proxy, signed({ method: 'HEAD', region: 'us-east-1' }));
  t.match(head.headers, { 'x-amz-bucket-region': 'eu-west-1' }, 'where there is no body to say it');
});

t.test('presigned URLs: as long as they live, and not at all where they are refused', async (t) => {
  const { proxy } = await startEdge(t);
  const week = presigned({ now: NOW - 7 * DAY + MINUTE, expiresSeconds: 604_800 });
  t.equal((await send(proxy, week)).status, 200, 'seven days less a minute');
  const tooOld = presigned({ now: NOW - 7 * DAY - MINUTE, expiresSeconds: 604_800 });
  t.equal(reasonOf(await send(proxy, tooOld)), 'presigned-expired');
  const shorter = await startEdge(t, { env: { KEYD_LONGEST_PRESIGNED: '1h' } });
  t.equal(reasonOf(await send(shorter.proxy, presigned({ expiresSeconds: 3_601 }))), 'expires-too-long');
  t.equal((await send(shorter.proxy, presigned({ expiresSeconds: 3_600 }))).status, 200);
  const none = await startEdge(t, { env: { KEYD_PRESIGNED: 'no' } });
  t.equal(reasonOf(await send(none.proxy, presigned())), 'presigned-refused');
  t.equal(none.parent.requests.length, 0, 'no key was asked for');
});

t.test('access keys: disabled, expired, for other services', async (t) => {
  const { proxy, parent, clock } = await startEdge(t);
  const accessKeys = [
    ['AKIADISABLED', 'disabled', 'access-key-disabled'],
    ['AKIAEXPIRED', 'expired', 'access-key-expired'],
    ['AKIAELSEWHERE', 'not-for-scope', 'access-key-not-for-scope'],
    ['AKIAREVOKED', 'revoked', 'scope-revoked'],
  ] as const;
  for (const [accessKeyId, absence, reason] of accessKeys) {
    parent.secrets.set(accessKeyId, SECRET);
    parent.absences.set(accessKeyId, absence);
    t.equal(reasonOf(await send(proxy, signed({ accessKeyId }))), reason);
  }
  parent.secrets.set('AKIASHORT', SECRET);
  parent.facts.set('AKIASHORT', { expiresAt: NOW + MINUTE });
  parent.secrets.set('AKIASQSONLY', SECRET);
  parent.facts.set('AKIASQSONLY', { services: ['sqs'] });
  t.equal(reasonOf(await send(proxy, signed({ accessKeyId: 'AKIASQSONLY' }))), 'access-key-not-for-scope');
  t.equal((await send(proxy, signed({ accessKeyId: 'AKIASHORT' }))).status, 200, 'a held key until it expires');
  await clock.advance(MINUTE);
  t.equal(reasonOf(await send(proxy, signed({ accessKeyId: 'AKIASHORT' }))), 'access-key-expired');
});

t.test('held keys verify while the region is down; others wait', async (t) => {
  const { proxy, parent, clock, serviceKeys } = await startEdge(t, { env: { KEYD_PRESIGNED: 'no' } });
  parent.secrets.set('AKIALATE', SECRET);
  t.equal((await send(proxy, signed())).status, 200);
  parent.isDown = true;
  for (let count = 0; count < 3; count += 1) t.equal((await send(proxy, signed())).status, 200, 'held');
  const unheld = await send(proxy, signed({ accessKeyId: 'AKIALATE' }));
  t.match(unheld, { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } });
  t.match(unheld.body, '<Code>ServiceUnavailable</Code>');
  parent.isDown = false;
  await clock.advance(10_000);
  t.equal((await send(proxy, signed({ accessKeyId: 'AKIALATE' }))).status, 200, 'served once the region is back');
  t.equal(await serviceKeys.purge(() => true), 2);
  parent.isDown = true;
  t.equal(reasonOf(await send(proxy, signed())), 'keys-unavailable', 'a purged key verifies nothing any more');
  parent.isDown = false;
  await clock.moveTo(NOW + DAY);
  t.equal((await send(proxy, signed({ now: clock.now() }))).status, 200);
  serviceKeys.days.expire();
  t.strictSame(
    serviceKeys.days.status().map(({ date }) => date),
    ['20261123'],
    'keys of old days are gone',
  );
});

t.test('5,000 made-up access key ids load the region with a bounded part of them', async (t) => {
  const { proxy, parent } = await startEdge(t);
  t.equal((await send(proxy, signed())).status, 200);
  const reasons = new Map<unknown, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  t.teardown(() => agent.destroy());
  for (let round = 0; round < 50; round += 1) {
    const madeUp = Array.from({ length: 100 }, (_, index) => signed({ accessKeyId: `AKIAMADEUP${round}X${index}` }));
    const replies = await Promise.all(madeUp.map((message) => send(proxy, message, { agent })));
    for (const reply of replies) reasons.set(reasonOf(reply), (reasons.get(reasonOf(reply)) ?? 0) + 1);
  }
  t.strictSame([...reasons.keys()].sort(), ['access-key-unknown', 'keys-unavailable']);
  t.ok(parent.idsAskedFor <= 1_100, `the region was asked for ${parent.idsAskedFor} of 5,000`);
  t.ok(parent.requests.length <= 1_100);
  t.equal((await send(proxy, signed())).status, 200, 'honest clients are served meanwhile');
});

t.test('no expected signature and no secret in any answer or log line', async (t) => {
  const { proxy, forwardAuth, log } = await startEdge(t);
  const good = [signed(), presigned()];
  const valid = good.flatMap(({ headers, target }) => JSON.stringify([headers, target]).match(/[0-9a-f]{64}/g) ?? []);
  const answers: string[] = [];
  const note = ({ rawHeaders, body }: Reply): void => void answers.push(rawHeaders.join('\n'), body);
  // What these should have been signed with is the signature of the good ones.
  const bad = [changed(signed(), 'authorization', otherSignature), retargeted(presigned(), otherSignature)];
  for (const message of [
    ...bad,
    ...good,
    ...Object.values(CASES)
      .flat()
      .map((refused) => refused.message),
  ]) {
    note(await send(proxy, message));
    note(await send(forwardAuth, message));
  }
  const everything = [...answers, ...log].join('\n');
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  t.ok(valid.length >= 2, 'there is something to look for');
  for (const signature of valid.filter((hex) => hex !== empty)) t.notOk(everything.includes(signature));
  t.notOk(everything.includes(SECRET));
});

t.test('with the debug switch a refusal shows what was signed, and still no key, no signature', async (t) => {
  const { proxy, log } = await startEdge(t, { env: { KEYD_DEBUG_SIGNATURES: 'yes' } });
  const good = signed({ method: 'PUT', body: 'x', payload: { kind: 'body', sha256: sha256Hex(Buffer.from('x')) } });
  const expected = /Signature=([0-9a-f]{64})/.exec(JSON.stringify(good.headers))?.[1] ?? 'none';
  for (const message of [changed(good, 'authorization', otherSignature), retargeted(presigned(), otherSignature)]) {
    const { body } = await send(proxy, message);
    t.match(body, `<CanonicalRequest>${message.method}`);
    t.match(body, /<StringToSign>AWS4-HMAC-SHA256/);
    t.notOk(body.includes(expected) || body.includes(SECRET));
  }
  t.notMatch(log.join(''), /CanonicalRequest|StringToSign/, 'nothing of it is logged');
});

t.test('accepted requests are recorded, without their path', async (t) => {
  const { proxy, log } = await startEdge(t);
  const reply = await send(proxy, signed({ target: '/private/path?with=query' }));
  const lines = log.filter((line) => line.includes('"event":"request-accepted"'));
  t.equal(lines.length, 1);
  t.match(JSON.parse(lines[0] ?? ''), {
    accessKeyId: ACCESS_KEY_ID,
    scope: '20261122/eu-west-1/s3/aws4_request',
    mechanism: 'header',
    signedAt: '2026-11-22T10:00:00.000Z',
    requestId: reply.headers['x-amz-request-id'],
    method: 'GET',
    pathSha256: /^[0-9a-f]{64}$/,
    edge: 'spiffe://keyd.example/edge/eu-west-1/s3/edge-1',
  });
  t.notMatch(log.join(''), /private|with=query/);
});

t.test('every reason has a row, and every row makes an answer in each shape', (t) => {
  const reasons = [...Object.keys(REFUSALS), ...Object.keys(FRONT_REFUSALS)].sort();
  t.strictSame(Object.keys(ERROR_CODES).sort(), reasons);
  for (const reason of Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[]) {
    const [status, s3Code, jsonType, queryCode] = ERROR_CODES[reason];
    t.ok(status >= 400 && status < 600 && /^[A-Za-z0-9]+$/.test(s3Code + jsonType + queryCode), reason);
    const answer = (shape: AnswerShape): ReturnType<typeof answerTo> =>
      answerTo({ reason, detail: '<&>' }, { shape, region: 'r', requestId: 'id', now: NOW, clockSkewSeconds: 900 });
    const s3 = answer('s3');
    t.equal(s3.status, status);
    t.match(s3.body.toString(), `<Code>${s3Code}</Code>`);
    t.match(s3.body.toString(), /&lt;&amp;&gt;.*<RequestId>id<\/RequestId><\/Error>$/);
    t.equal(s3.headers[s3.headers.indexOf('date') + 1], 'Sun, 22 Nov 2026 10:00:00 GMT');
    const json = answer('json');
    t.match(JSON.parse(json.body.toString()), { __type: jsonType, requestId: 'id' });
    t.equal(json.headers[json.headers.indexOf('x-amzn-errortype') + 1], jsonType);
    const query = answer('query').body.toString();
    const type = status >= 500 ? 'Receiver' : 'Sender';
    t.match(query, `<ErrorResponse><Error><Type>${type}</Type><Code>${queryCode}</Code><Message>`);
    t.match(query, /&lt;&amp;&gt;.*<\/Error><RequestId>id<\/RequestId><\/ErrorResponse>$/);
  }
  const canonicalRequest = 'GET\n/\nX-Amz-Security-Token=T0KEN&a=1\ncookie:T0KEN\nx-amz-security-token:T0KEN\nhost:h\n';
  const description = { canonicalRequest, stringToSign: 'AWS4-HMAC-SHA256' };
  for (const shape of ['s3', 'json', 'query'] as const) {
    const context = { shape, region: 'r', requestId: 'id', now: NOW, clockSkewSeconds: 900 };
    const shown = answerTo({ reason: 'signature-mismatch', description }, context).body.toString();
    t.match(shown, /not shown.&(amp;)?a=1.*host:h.*AWS4-HMAC-SHA256/s, `${shape} shows the stages`);
    t.notMatch(shown, 'T0KEN', 'but no token');
  }
  t.equal(escapeXml('a<b>&"\'\u0000\u001b\ud800c'), 'a&lt;b&gt;&amp;&quot;&apos;\ufffd\ufffd\ufffdc');
  t.end();
});

t.test('JSON services get JSON answers, query services theirs; the shape can be chosen', async (t) => {
  const dynamodb = await startEdge(t, { service: 'dynamodb' });
  const reply = await send(dynamodb.proxy, signed({ service: 'dynamodb', secret: 'wrong' }));
  t.match(reply, { status: 403, headers: { 'x-amzn-errortype': 'InvalidSignatureException' } });
  t.match(JSON.parse(reply.body), { __type: 'InvalidSignatureException' });
  const sts = await startEdge(t, { service: 'sts' });
  const refused = await send(sts.proxy, signed({ service: 'sts', secret: 'wrong' }));
  t.match(refused, { status: 403, headers: { 'content-type': 'text/xml' } });
  t.match(refused.body, '<Code>SignatureDoesNotMatch</Code>');
  const asXml = await startEdge(t, { service: 'dynamodb', env: { KEYD_ANSWER_SHAPE: 's3' } });
  t.match((await send(asXml.proxy, signed({ service: 'dynamodb', secret: 'wrong' }))).body, /^<\?xml/);
});
