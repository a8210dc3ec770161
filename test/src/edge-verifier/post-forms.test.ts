import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { signSessionToken, type AccessKeyStatus, type Session } from '@sigv4-keyd/hop-protocol';
import t, { type Test } from 'tap';
import { day } from '../support/days.js';
import { followFeed } from '../support/followed-feed.js';
import { TestFeed } from '../support/test-feed.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { ACCESS_KEY_ID, HOST, NOW, presigned, SECRET, send, signed, wireOf, type Reply } from './client.js';
import { startEdge, type EdgeOptions, type EdgeUnderTest } from './edge-under-test.js';
import { BOUNDARY, END, filePart, form, part, signedFields, type FormDraft } from './post-form-client.js';

const ON = { KEYD_POST_FORMS: 'yes', KEYD_BODY_IN_MEMORY: '64KiB', KEYD_LARGEST_BODY: '8MiB' };

function start(t: Test, options: EdgeOptions = {}): Promise<EdgeUnderTest> {
  return startEdge(t, { ...options, env: { ...ON, ...options.env } });
}

function reasonOf({ headers }: Reply): unknown {
  return headers['x-keyd-reason'];
}

/** Whether a spool file is open in this process. */
function isSpooling(): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('/edge-verifier-');
    } catch {
      return false;
    }
  });
}

/** What is answered to bytes that are not the whole request. */
function answerTo(address: string, wire: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host ?? '');
    let answer = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (!answer.includes('</Error>')) return;
      socket.destroy();
      resolve(answer);
    });
    socket.write(Buffer.from(wire, 'latin1'));
  });
}

t.test('a form arrives byte for byte, from memory and from the spool', async (t) => {
  const edge = await start(t);
  const { proxy, upstream, counts, log } = edge;
  for (const file of ['', 'small', Buffer.alloc(300_000, 'large\r\n--of-thes')]) {
    const message = form({ file, filename: 'C a t ü.jpg' });
    for (const options of [{}, { chunked: true }, { expectContinue: true }]) {
      const reply = await send(proxy, message, options);
      t.equal(reply.status, 200, `${file.length} bytes, ${JSON.stringify(options)}`);
      t.ok(upstream.last.body.equals(message.body), 'the very bytes');
      t.equal(upstream.last.target, '/photos');
      t.strictSame(upstream.lastHeader('content-type'), [`multipart/form-data; boundary=${BOUNDARY}`]);
      t.strictSame(upstream.lastHeader('content-length'), [String(message.body.length)]);
    }
  }
  t.strictSame(upstream.lastHeader('x-keyd-access-key-id'), [ACCESS_KEY_ID]);
  t.strictSame(upstream.lastHeader('x-keyd-mechanism'), ['post-form']);
  t.strictSame(upstream.lastHeader('x-keyd-payload-sha256'), ['UNSIGNED-PAYLOAD'], 'nobody signed the file');
  t.match(counts.take().rollups, [{ accessKeyId: ACCESS_KEY_ID, mechanism: 'post-form', count: 9 }]);
  t.match(JSON.parse(log.at(-1) ?? ''), {
    event: 'request-accepted',
    mechanism: 'post-form',
    accessKeyId: ACCESS_KEY_ID,
  });
  while (isSpooling()) await new Promise(setImmediate);
  t.strictSame(readdirSync(edge.spoolFolder), []);
});

t.test('other headers and parts that clients write', async (t) => {
  const { proxy, upstream } = await start(t);
  const fields = Buffer.concat(signedFields().map(([name, value]) => part(name, value)));
  const unquoted = signedFields().map(([name, value]) => part(name, value).toString().replace(`"${name}"`, name));
  const described = signedFields().map(([name, value]) => {
    const more = `\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(value)}`;
    return part(name, value, `${more}\r\nContent-Transfer-Encoding: 8bit`);
  });
  const typeFirst = `--${BOUNDARY}\r\ncontent-type: a/b\r\ncontent-disposition: form-data; name=file; filename=a.b\r\n\r\n`;
  const bodies: Readonly<Record<string, Buffer>> = {
    'no line break at the very end': Buffer.concat([fields, filePart('x'), Buffer.from(END.trimEnd())]),
    'a file without a name': Buffer.concat([fields, part('file', 'x'), Buffer.from(END)]),
    'names without quotes': Buffer.concat([Buffer.from(unquoted.join('')), filePart('x'), Buffer.from(END)]),
    'parts that describe themselves': Buffer.concat([...described, filePart('x'), Buffer.from(END)]),
    'the type first': Buffer.concat([fields, Buffer.from(`${typeFirst}x\r\n${END}`)]),
  };
  for (const [name, body] of Object.entries(bodies)) {
    t.equal((await send(proxy, form({ body }))).status, 200, name);
    t.ok(upstream.last.body.equals(body), name);
  }
  const quoted = form({ contentType: `Multipart/Form-Data;boundary="${BOUNDARY}"` });
  t.equal((await send(proxy, quoted)).status, 200, 'a boundary in quotes');
  t.equal((await send(proxy, form({ host: `photos.${HOST}`, target: '/' }))).status, 200, 'the bucket in the host');
});

t.test("the upstream's answer comes back as it is", async (t) => {
  const { proxy, upstream } = await start(t);
  upstream.answer = (_request, response) => {
    response.writeHead(303, { location: 'https://example.com/done?key=user%2Fcat.jpg', etag: '"x"' }).end();
  };
  const fields = { key: 'user/cat.jpg', success_action_redirect: 'https://example.com/done' };
  t.match(await send(proxy, form({ fields })), {
    status: 303,
    headers: { location: 'https://example.com/done?key=user%2Fcat.jpg', etag: '"x"' },
  });
});

t.test('what is refused, before the upstream hears of it', async (t) => {
  const { proxy, upstream, log } = await start(t);
  const range = { kind: 'content-length-range', least: 5, most: 10 } as const;
  const beginning = { kind: 'starts-with', field: 'key', value: 'user/' } as const;
  const cases: Readonly<Record<string, readonly [status: number, code: string, reason: string, draft: FormDraft]>> = {
    'a changed field': [403, 'AccessDenied', 'post-policy-condition-failed', { changed: { key: 'user/dog.jpg' } }],
    'an added field': [403, 'AccessDenied', 'form-field-not-in-policy', { changed: { acl: 'public-read' } }],
    'another beginning': [
      403,
      'AccessDenied',
      'post-policy-condition-failed',
      { conditions: [beginning], changed: { key: 'other/cat.jpg' } },
    ],
    'another bucket': [403, 'AccessDenied', 'post-policy-condition-failed', { target: '/others' }],
    'another bucket in the host': [
      403,
      'AccessDenied',
      'post-policy-condition-failed',
      { target: '/', host: `others.${HOST}` },
    ],
    'a file too large': [400, 'EntityTooLarge', 'file-too-large', { conditions: [range], file: '12345678901' }],
    'a file too small': [400, 'EntityTooSmall', 'file-too-small', { conditions: [range], file: '1234' }],
    'an expired policy': [403, 'AccessDenied', 'post-policy-expired', { now: NOW - 7_200_000 }],
    'a policy of the future': [403, 'AccessDenied', 'post-policy-not-yet-valid', { now: NOW + 1_000_000 }],
    'a policy that is none': [
      400,
      'InvalidPolicyDocument',
      'malformed-post-policy',
      { changed: { policy: 'bm9uZQ==' } },
    ],
    'a changed signature': [
      403,
      'SignatureDoesNotMatch',
      'signature-mismatch',
      { changed: { 'x-amz-signature': '0'.repeat(64) } },
    ],
    'another secret': [403, 'SignatureDoesNotMatch', 'signature-mismatch', { secret: 'another' }],
    'an unknown access key': [403, 'InvalidAccessKeyId', 'access-key-unknown', { accessKeyId: 'AKIANOBODY' }],
    'another region': [400, 'AuthorizationHeaderMalformed', 'wrong-region', { region: 'us-east-1' }],
    'another service': [400, 'AuthorizationHeaderMalformed', 'wrong-service', { service: 'sqs' }],
    'a session token': [400, 'InvalidToken', 'session-token-mismatch', { sessionToken: 'token' }],
    'no signature': [400, 'InvalidArgument', 'missing-form-field', { changed: { 'x-amz-signature': undefined } }],
    'no fields': [400, 'InvalidArgument', 'missing-form-field', { body: `${filePart('x').toString()}${END}` }],
    'no file': [400, 'InvalidArgument', 'missing-form-field', { body: `${part('key', 'x').toString()}${END}` }],
    'no body': [400, 'MalformedPOSTRequest', 'malformed-form', { body: '' }],
    'a key in the path': [405, 'MethodNotAllowed', 'form-target-refused', { target: '/photos/cat.jpg' }],
    'a query': [405, 'MethodNotAllowed', 'form-target-refused', { target: '/photos?delete' }],
    'an unsigned header': [403, 'AccessDenied', 'header-not-signed', { headers: [['x-amz-acl', 'public-read']] }],
    'an encoded body': [400, 'MalformedPOSTRequest', 'malformed-form', { headers: [['content-encoding', 'gzip']] }],
    'a type that ends here': [
      400,
      'InvalidRequest',
      'connection-names-signed-header',
      { headers: [['connection', 'content-type']] },
    ],
    'two types': [400, 'InvalidRequest', 'duplicate-header', { headers: [['content-type', 'multipart/form-data']] }],
    'another host': [403, 'AccessDenied', 'host-not-served', { host: 'files.example.org' }],
    'fields without an end': [
      400,
      'MaxPostPreDataLengthExceededError',
      'form-fields-too-large',
      { changed: { 'x-ignore-much': 'x'.repeat(21_000) } },
    ],
  };
  for (const [name, [status, code, reason, draft]] of Object.entries(cases)) {
    const reply = await send(proxy, form(draft));
    t.match(reply, { status, body: `<Code>${code}</Code>`, headers: { 'x-keyd-reason': reason } }, name);
  }
  t.equal(upstream.wire, '');
  t.notMatch(log.join(), SECRET);
  const refused = log.map((line) => JSON.parse(line) as { claimedAccessKeyId?: string; reason?: string });
  t.match(
    refused.find(({ reason }) => reason === 'signature-mismatch'),
    { claimedAccessKeyId: ACCESS_KEY_ID },
  );
  t.equal((await send(proxy, form({ conditions: [range], file: '12345' }))).status, 200, 'the honest one is served');
});

t.test('the policy is quoted by its conditions, never by its values', async (t) => {
  const { proxy, log } = await start(t);
  const reply = await send(proxy, form({ changed: { key: 'a-private-name' } }));
  t.match(reply.body, /Invalid according to Policy: Policy Condition failed.*\(eq \$key\)/);
  t.notMatch(`${reply.body}${log.join()}`, /a-private-name|user\/cat/);
});

t.test('no key is asked for, and no file kept, before the fields were judged and proven', async (t) => {
  const edge = await start(t);
  const { proxy, parent, upstream } = edge;
  const file = Buffer.alloc(2_000_000);
  await send(proxy, form({ file, accessKeyId: 'AKIANOBODY', changed: { acl: 'public-read' } }));
  t.equal(parent.requests.length, 0);
  // The answer comes before the file: its bytes are never sent.
  const message = form({ secret: 'another', file: '' });
  const beginning = message.body.subarray(0, message.body.indexOf(END) - 2).toString('latin1');
  const answer = await answerTo(proxy, wireOf(message, ['content-length: 7000000'], beginning));
  t.match(answer, /signature-mismatch/);
  const range = { kind: 'content-length-range', least: 0, most: 100_000 } as const;
  for (const length of [100_000, 300_000]) {
    const begun = form({ file: 'x'.repeat(length), conditions: [range] });
    const some = begun.body.subarray(0, begun.body.indexOf(END) - 2).toString('latin1') + 'x'.repeat(100);
    const tooLarge = await answerTo(proxy, wireOf(begun, ['content-length: 7000000'], some));
    t.match(tooLarge, /file-too-large/, `refused after ${length + 100} bytes, not after all`);
  }
  const endless = form({ body: part('x-ignore-much', 'x'.repeat(100_000)) });
  const fields = endless.body.toString('latin1');
  t.match(await answerTo(proxy, wireOf(endless, ['content-length: 7000000'], fields)), /form-fields-too-large/);
  t.equal(upstream.wire, '');
  t.notOk(isSpooling());
});

t.test('a body beyond the limit, and one that breaks off', async (t) => {
  const { proxy, upstream } = await start(t);
  t.equal(reasonOf(await send(proxy, form({ file: Buffer.alloc(8 * 1024 * 1024) }))), 'body-too-large');
  t.equal(
    reasonOf(await send(proxy, form({ file: Buffer.alloc(8 * 1024 * 1024) }), { chunked: true })),
    'body-too-large',
  );
  const { body } = form();
  for (const length of [1, 100, body.length - END.length, body.length - 4]) {
    const reply = await send(proxy, form({ body: body.subarray(0, length) }));
    t.equal(reasonOf(reply), 'malformed-form', `${length} of ${body.length} bytes`);
  }
  t.equal(upstream.wire, '');
});

t.test('revocations and changes of access keys hold for forms that were given out before', async (t) => {
  const { feed, guard } = await followFeed(t, NOW);
  const { proxy, upstream } = await start(t, { guard });
  const message = form();
  const verdict = async (): Promise<unknown> => {
    const reply = await send(proxy, message);
    return reply.status === 200 ? 'served' : reasonOf(reply);
  };
  const status = (status: AccessKeyStatus) => ({ accessKeyId: ACCESS_KEY_ID, status, secretVersion: 1 });
  t.equal(await verdict(), 'served');
  await feed.change(status('disabled'));
  t.equal(await verdict(), 'access-key-disabled');
  await feed.change(status('enabled'));
  t.equal(await verdict(), 'served');
  await feed.change({ ...status('enabled'), services: ['sqs'] });
  t.equal(await verdict(), 'access-key-not-for-scope');
  await feed.change(status('enabled'));
  await feed.revoke({ region: 'us-east-1', from: day('20261122'), to: day('20261122') });
  t.equal(await verdict(), 'served', 'another region');
  await feed.revoke({ region: 'eu-west-1', from: day('20261122'), to: day('20261122') });
  upstream.wire = '';
  t.equal(await verdict(), 'scope-revoked');
  t.equal(upstream.wire, '');
});

t.test('what is said against a key counts before the form is read on, and when its file has come', async (t) => {
  let objection: 'scope-revoked' | 'access-key-disabled' | 'feed-stale' | undefined;
  const { proxy, upstream, log } = await start(t, { guard: { objectionTo: () => objection } });
  t.equal((await send(proxy, form())).status, 200);
  for (const reason of ['scope-revoked', 'access-key-disabled', 'feed-stale'] as const) {
    objection = reason;
    upstream.wire = '';
    t.equal(reasonOf(await send(proxy, form())), reason);
    t.equal(upstream.wire, '');
  }
  // While the file comes: asked three times, twice for the key.
  let asked = 0;
  const late = await start(t, { guard: { objectionTo: () => ((asked += 1) > 2 ? 'scope-revoked' : undefined) } });
  t.equal(reasonOf(await send(late.proxy, form({ file: Buffer.alloc(300_000) }))), 'scope-revoked');
  while (isSpooling()) await new Promise(setImmediate);
  t.equal(asked, 3);
  t.equal(late.upstream.wire, '');
  t.notMatch(log.join(), SECRET);
});

t.test('temporary credentials sign forms, with their token as a field', async (t) => {
  const feed = await TestFeed.create(new VirtualClock(NOW));
  const { proxy, parent, upstream } = await start(t, { pinned: feed.keys.pinned });
  const accessKeyId = 'ASIAONEOFTHESESSIONS';
  const secret = 'the-secret-of-a-session-in-these-tests';
  parent.secrets.set(accessKeyId, secret);
  const tokenOf = (changes: Partial<Session> = {}): Promise<string> => {
    const life = { createdAt: NOW - 3_600_000, expiresAt: NOW + 3_600_000 };
    const session = { accessKeyId, parentAccessKeyId: ACCESS_KEY_ID, name: 'alice', ...life, ...changes };
    return signSessionToken(session, feed.keys.revocation);
  };
  const sessionToken = await tokenOf();
  t.equal((await send(proxy, form({ accessKeyId, secret, sessionToken }))).status, 200);
  t.strictSame(upstream.lastHeader('x-keyd-session-name'), ['alice']);
  t.strictSame(upstream.lastHeader('x-keyd-parent-access-key-id'), [ACCESS_KEY_ID]);

  upstream.wire = '';
  const without = { accessKeyId, secret };
  const refused: Readonly<Record<string, FormDraft>> = {
    'session-token-required': without,
    'form-field-not-in-policy': { ...without, changed: { 'x-amz-security-token': sessionToken } },
    'post-policy-condition-failed': {
      ...without,
      sessionToken,
      changed: { 'x-amz-security-token': await tokenOf({ name: 'bob' }) },
    },
    'session-token-expired': { ...without, sessionToken: await tokenOf({ expiresAt: NOW - 1 }) },
    'session-token-mismatch': { ...without, sessionToken: await tokenOf({ accessKeyId: 'ASIASOMEBODYELSES' }) },
    'malformed-session-token': { ...without, sessionToken: `${sessionToken.slice(0, -4)}AAAA` },
  };
  for (const [reason, draft] of Object.entries(refused)) {
    t.equal(reasonOf(await send(proxy, form(draft))), reason, reason);
  }
  t.equal(upstream.wire, '');
  const off = await start(t, { pinned: feed.keys.pinned, env: { KEYD_SESSION_TOKENS: 'no' } });
  t.equal(reasonOf(await send(off.proxy, form({ accessKeyId, secret, sessionToken }))), 'session-token-refused');
});

t.test('the window of days holds for forms', async (t) => {
  const env = { KEYD_LONGEST_PRESIGNED: '1d' };
  const { proxy } = await start(t, { env });
  const day = 86_400;
  t.equal((await send(proxy, form({ now: NOW - 20 * 3_600_000, expiresSeconds: day }))).status, 200, 'of yesterday');
  t.equal(reasonOf(await send(proxy, form({ expiresSeconds: day + 1 }))), 'post-policy-lives-too-long');
  const old = form({ now: NOW - 3 * day * 1000, expiresSeconds: 7 * day });
  t.equal(reasonOf(await send(proxy, old)), 'date-outside-window');
});

t.test(
  'forms are verified where that is switched on, at the proxy of an edge of S3, and other requests as ever',
  async (t) => {
    const off = await startEdge(t);
    t.equal(reasonOf(await send(off.proxy, form())), 'missing-authentication');
    const { proxy, upstream, forwardAuth } = await start(t);
    const body = form().body;
    const type = [['content-type', `multipart/form-data; boundary=${BOUNDARY}`]] as const;
    const headerSigned = signed({ method: 'POST', target: '/photos', headers: type, body });
    t.equal((await send(proxy, headerSigned)).status, 200);
    t.strictSame(upstream.lastHeader('x-keyd-mechanism'), ['header'], 'signed in its header, a body like any');
    const unsignedHeader = signed({ method: 'POST', target: '/photos', body, unsigned: type, secret: 'another' });
    t.equal(reasonOf(await send(proxy, unsignedHeader)), 'signature-mismatch', 'no second chance');
    const url = presigned({ method: 'POST', target: '/photos', body, unsigned: type, secret: 'another' });
    t.equal(reasonOf(await send(proxy, url)), 'signature-mismatch');
    t.equal(reasonOf(await send(proxy, { ...form(), method: 'PUT' })), 'missing-authentication');
    const asked = form({
      headers: [
        ['x-original-method', 'POST'],
        ['x-original-uri', '/photos'],
      ],
    });
    t.equal(reasonOf(await send(forwardAuth, asked)), 'missing-authentication', 'forward auth sees no form');
    const other = await start(t, { service: 'execute-api' });
    t.equal(reasonOf(await send(other.proxy, form({ service: 'execute-api' }))), 'missing-authentication');
  },
);
