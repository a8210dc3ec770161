import { EMPTY_BODY_SHA256, sha256Hex } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { ACCESS_KEY_ID, HOST, presigned, send, signed, type Message, type Reply } from './client.js';
import { chunked as chunkedMessage, withChangedByte } from './chunked-client.js';
import { startEdge, type EdgeUnderTest } from './edge-under-test.js';
import { ORIGINS, question, type Origin, type Told } from './question.js';

function edgeFor(t: Test, origin: Origin, env: Readonly<Record<string, string>> = {}): Promise<EdgeUnderTest> {
  return startEdge(t, { env: { KEYD_FORWARD_AUTH_FROM: origin, ...env } });
}

/** The message with another value of one header. */
function withHeader(message: Message, name: string, value: string): Message {
  const headers = message.headers.map(([header, before]) => [header, header === name ? value : before] as const);
  return { ...message, headers };
}

/** What Traefik and Caddy do to the host of the request that they ask with. */
function dialled(message: Message): Message {
  return withHeader(message, 'host', 'edge.internal:8082');
}

function ask(edge: EdgeUnderTest, message: Message): Promise<Reply> {
  return send(edge.forwardAuth, message);
}

t.test('yes is an empty 204 that says who it is, however the front tells', async (t) => {
  const message = signed({ method: 'PUT', target: '/a%2Fb//c?x=&y' });
  const questions: Readonly<Record<Origin, Message>> = {
    'x-original': question(message, 'x-original'),
    'x-forwarded': dialled(question(message, 'x-forwarded')),
    'request-line': question(message, 'request-line'),
  };
  for (const origin of ORIGINS) {
    const edge = await edgeFor(t, origin);
    const byUrl = question(presigned({ target: '/a%2Fb' }), origin);
    for (const [mechanism, asked] of Object.entries({ header: questions[origin], presigned: byUrl })) {
      const reply = await ask(edge, asked);
      t.match(reply, { status: 204, body: '' }, `${origin}, ${mechanism}`);
      t.match(reply.headers, {
        'x-keyd-access-key-id': ACCESS_KEY_ID,
        'x-keyd-region': 'eu-west-1',
        'x-keyd-service': 's3',
        'x-keyd-scope-date': '20261122',
        'x-keyd-signed-at': '2026-11-22T10:00:00.000Z',
        'x-keyd-payload-sha256': EMPTY_BODY_SHA256,
        'x-keyd-mechanism': mechanism,
      });
      t.match(reply.headers['x-keyd-request-id'], /^[0-9a-f-]{36}$/);
    }
    t.equal(edge.log.filter((line) => line.includes('request-accepted')).length, 2, 'each is recorded');
  }
});

t.test('every no tells its reason; an outage is no no', async (t) => {
  for (const origin of ORIGINS) {
    const edge = await edgeFor(t, origin);
    const refused = async (message: Message, reason: string, status: number): Promise<void> => {
      // nginx takes no other no than 403; the others pass on what AWS clients expect.
      const expected = origin === 'x-original' ? 403 : status;
      t.match(await ask(edge, message), { status: expected, headers: { 'x-keyd-reason': reason } }, reason);
    };
    await refused(question(signed({ secret: 'wrong' }), origin), 'signature-mismatch', 403);
    await refused(question({ ...signed(), target: '/other' }, origin), 'signature-mismatch', 403);
    await refused(question({ ...signed(), method: 'DELETE' }, origin), 'signature-mismatch', 403);
    await refused(question(signed({ region: 'us-east-1' }), origin), 'wrong-region', 400);
    const elsewhere = signed({ host: 'elsewhere.example' });
    const told = withHeader(question(elsewhere, origin), 'X-Forwarded-Host', 'elsewhere.example');
    await refused(told, 'host-not-served', 403);
    await refused(question({ ...signed(), target: 'http://x/' }, origin), 'malformed-target', 400);
    edge.parent.isDown = true;
    const outage = await ask(edge, question(signed({ accessKeyId: 'AKIANOTHELD' }), origin));
    t.match(outage, { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } });
  }
});

t.test('nothing is believed but what the front says, where it is configured to say it', async (t) => {
  const message = signed({ target: '/mine' });
  const reasonOf = async (edge: EdgeUnderTest, asked: Message): Promise<unknown> => {
    const { status, headers } = await ask(edge, asked);
    return status === 204 ? 'accepted' : headers['x-keyd-reason'];
  };
  const original = await edgeFor(t, 'x-original');
  const forwarded = await edgeFor(t, 'x-forwarded');
  const line = await edgeFor(t, 'request-line');
  const asOriginal = question(message, 'x-original');
  const asForwarded = question(message, 'x-forwarded');
  const lies = [
    ['X-Forwarded-Method', 'PUT'],
    ['X-Forwarded-Uri', '/other'],
    ['X-Forwarded-Host', 'other.example'],
    ['X-Original-Method', 'PUT'],
    ['X-Original-URI', '/other'],
  ] as const;
  const withMore = (asked: Message, ...more: Told): Message => ({ ...asked, headers: [...asked.headers, ...more] });
  const [forwardedMethod, forwardedUri, , originalMethod, originalUri] = lies;
  t.equal(
    await reasonOf(original, withMore(asOriginal, forwardedMethod, forwardedUri)),
    'accepted',
    'not its way of telling',
  );
  t.equal(await reasonOf(forwarded, withMore(asForwarded, originalMethod, originalUri)), 'accepted', 'nor here');
  t.equal(await reasonOf(line, withMore(message, ...lies)), 'accepted', 'nor where the request itself is asked with');
  t.equal(await reasonOf(original, withMore(asOriginal, originalUri)), 'ambiguous-original-request', 'a target twice');
  t.equal(
    await reasonOf(original, withMore(asOriginal, originalMethod)),
    'ambiguous-original-request',
    'a method twice',
  );
  const hostTwice = withMore(asForwarded, ['x-forwarded-host', HOST]);
  t.equal(await reasonOf(forwarded, hostTwice), 'ambiguous-original-request', 'a host twice');
  for (const [edge, asked] of [
    [original, asForwarded],
    [forwarded, asOriginal],
    [original, message],
    [original, withMore(message, ['x-original-uri', '/mine'])],
  ] as const) {
    t.equal(await reasonOf(edge, asked), 'missing-original-request');
  }
  const noHost = { ...asForwarded, headers: asForwarded.headers.filter(([name]) => name !== 'X-Forwarded-Host') };
  t.equal(await reasonOf(forwarded, noHost), 'missing-original-request', 'whose host it is, is told too');
});

t.test("a client's own copies of our headers are refused: the front might pass them on", async (t) => {
  for (const origin of ORIGINS) {
    const edge = await edgeFor(t, origin);
    for (const name of ['x-keyd-access-key-id', 'X-Keyd-Scope-Date', 'x_keyd_region', 'x-keyd.session']) {
      const { status, headers } = await ask(edge, question(signed(), origin, [[name, 'AKIASOMEBODYELSE']]));
      t.not(status, 204);
      t.equal(headers['x-keyd-reason'], 'reserved-header', `${origin}: ${name}`);
    }
  }
});

t.test('a body that the front sends along is hashed and compared', async (t) => {
  const body = Buffer.from('content');
  for (const origin of ORIGINS) {
    const edge = await edgeFor(t, origin, {
      KEYD_FORWARD_AUTH_BODIES: 'sent',
      KEYD_LARGEST_BODY: '1KiB',
      KEYD_BODY_IN_MEMORY: '1KiB',
    });
    const outcome = async (message: Message, sent: Buffer | string, chunked = false): Promise<unknown> => {
      const body = Buffer.from(sent);
      const asked = { ...question({ ...message, body }, origin), body };
      const { status, headers } = await send(edge.forwardAuth, asked, { chunked });
      return status === 204 ? headers['x-keyd-payload-sha256'] : headers['x-keyd-reason'];
    };
    const exact = signed({ method: 'PUT', body });
    const unstated = signed({ method: 'POST', payload: { kind: 'body', sha256: sha256Hex(body) } });
    for (const message of [exact, unstated]) {
      t.equal(await outcome(message, body), sha256Hex(body), `${origin}: the body that was signed`);
      t.equal(await outcome(message, body, true), sha256Hex(body), 'in chunks');
    }
    t.equal(await outcome(exact, 'another'), 'payload-hash-mismatch');
    t.equal(await outcome(exact, ''), 'payload-hash-mismatch', 'no body where one was signed');
    t.equal(await outcome(unstated, 'another'), 'signature-mismatch');
    t.equal(await outcome(signed({ method: 'PUT' }), 'x'), 'payload-hash-mismatch', 'a body where none was signed');
    t.equal(await outcome(signed({ method: 'PUT' }), ''), EMPTY_BODY_SHA256);
    t.equal(await outcome(signed({ method: 'PUT', payload: { kind: 'unsigned' } }), 'x'), 'payload-mode-refused');
    t.equal(await outcome(signed({ method: 'PUT', body: 'x'.repeat(2_000) }), 'x'.repeat(2_000)), 'body-too-large');
  }
});

t.test('bodies stay with the front: refused, or declared for the upstream to check', async (t) => {
  const refusing = await startEdge(t);
  const declaring = await startEdge(t, {
    env: { KEYD_FORWARD_AUTH_BODIES: 'declared', KEYD_PAYLOAD_MODES: 'exact,body,unsigned,streaming-signed' },
  });
  const body = Buffer.from('content');
  const length = ['X-Original-Content-Length', String(body.length)] as const;
  const chunked = ['X-Original-Transfer-Encoding', 'chunked'] as const;
  const none = ['X-Original-Content-Length', ''] as const;
  const sha256 = sha256Hex(body);
  const exact = signed({ method: 'PUT', body });
  const empty = signed({ method: 'PUT' });
  const unstated = signed({ method: 'POST', payload: { kind: 'body', sha256: EMPTY_BODY_SHA256 } });
  const unsigned = signed({ method: 'PUT', payload: { kind: 'unsigned' } });
  const of = async (edge: EdgeUnderTest, message: Message, ...told: Told): Promise<unknown> => {
    const { status, headers } = await ask(edge, question(message, 'x-original', told));
    return status === 204 ? headers['x-keyd-payload-sha256'] : headers['x-keyd-reason'];
  };
  t.equal(await of(refusing, exact, length), 'body-not-seen');
  t.equal(await of(declaring, exact, length), sha256, 'the hash goes to the upstream');
  t.equal(await of(refusing, empty, none), EMPTY_BODY_SHA256);
  t.equal(await of(refusing, empty), EMPTY_BODY_SHA256);
  for (const told of [length, chunked]) {
    t.equal(await of(declaring, empty, told), 'payload-hash-mismatch', 'a body where none was signed');
    t.equal(await of(declaring, unstated, told), 'body-not-seen');
    t.equal(await of(refusing, unsigned, told), 'payload-mode-refused');
    t.equal(await of(declaring, unsigned, told), 'UNSIGNED-PAYLOAD');
  }
  t.equal(await of(refusing, unstated, none), EMPTY_BODY_SHA256);
  t.equal(await of(refusing, unsigned), EMPTY_BODY_SHA256, 'no bytes leave nothing unsigned');
  const streaming = await chunkedMessage({ kind: 'streaming-signed', data: body });
  for (const edge of [refusing, declaring]) {
    t.equal(await of(edge, streaming, length), 'body-not-seen', 'nobody behind could verify the chunks');
  }
});

t.test('a body in chunks that the front sends along is verified chunk by chunk', async (t) => {
  const data = Buffer.alloc(20_000, 'content ');
  for (const origin of ORIGINS) {
    const edge = await edgeFor(t, origin, { KEYD_FORWARD_AUTH_BODIES: 'sent' });
    const outcome = async (message: Message): Promise<unknown> => {
      const { status, headers } = await send(edge.forwardAuth, { ...question(message, origin), body: message.body });
      return status === 204 ? headers['x-keyd-payload-sha256'] : headers['x-keyd-reason'];
    };
    const signedChunks = await chunkedMessage({ kind: 'streaming-signed-trailer', data });
    t.equal(await outcome(signedChunks), 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', origin);
    t.equal(await outcome(withChangedByte(signedChunks, 18_000)), 'chunk-signature-mismatch');
    t.equal(await outcome({ ...signedChunks, body: signedChunks.body.subarray(0, -2) }), 'incomplete-body');
    const unsignedChunks = await chunkedMessage({ kind: 'streaming-unsigned-trailer', data });
    t.equal(await outcome(unsignedChunks), 'STREAMING-UNSIGNED-PAYLOAD-TRAILER');
    t.equal(await outcome(withChangedByte(unsignedChunks, 18_000)), 'checksum-mismatch');
    const checked = signed({ method: 'PUT', body: data, headers: [['x-amz-checksum-crc32', 'AAAAAA==']] });
    t.equal(await outcome(checked), 'checksum-mismatch', 'and a checksum in a header');
  }
});

t.test('a signed content-length is the one that the client sent', async (t) => {
  const edge = await startEdge(t, { env: { KEYD_FORWARD_AUTH_BODIES: 'declared' } });
  const message = signed({ method: 'PUT', body: 'content', headers: [['content-length', '7']] });
  const stripped = { ...message, headers: message.headers.filter(([name]) => name !== 'content-length') };
  const asked = (length: string): Message => question(stripped, 'x-original', [['X-Original-Content-Length', length]]);
  t.equal((await ask(edge, asked('7'))).status, 204);
  t.equal((await ask(edge, asked('8'))).headers['x-keyd-reason'], 'signature-mismatch');
});
