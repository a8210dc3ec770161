import { EMPTY_BODY_SHA256, sha256Hex } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { ACCESS_KEY_ID, HOST, presigned, send, signed, type Message, type Reply } from './client.js';
import { startEdge, type EdgeUnderTest } from './edge-under-test.js';

type Family = 'nginx' | 'traefik' | 'both';

/** The question that a front asks about a message: a GET of its own path with the client's headers and its own. */
function question(message: Message, family: Family, more: readonly (readonly [string, string])[] = []): Message {
  const { method, target } = message;
  const nginx = [['X-Original-Method', method], ['X-Original-URI', target]] as const;
  const traefik = [['X-Forwarded-Method', method], ['X-Forwarded-Uri', target], ['X-Forwarded-Host', HOST]] as const;
  const told = { nginx, traefik, both: [...nginx, ...traefik] }[family];
  return { method: 'GET', target: '/auth', headers: [...message.headers, ...told, ...more], body: Buffer.alloc(0) };
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

t.test('yes is an empty 204 that says who it is, for each family of headers', async (t) => {
  const edge = await startEdge(t);
  const message = signed({ method: 'GET', target: '/a%2Fb//c?x=&y' });
  const questions = {
    nginx: question(message, 'nginx'),
    traefik: dialled(question(message, 'traefik')),
    both: question(message, 'both'),
    presigned: question(presigned({ target: '/a%2Fb' }), 'nginx'),
  };
  for (const [name, asked] of Object.entries(questions)) {
    const reply = await ask(edge, asked);
    t.match(reply, { status: 204, body: '' }, name);
    t.match(reply.headers, {
      'x-keyd-access-key-id': ACCESS_KEY_ID,
      'x-keyd-region': 'eu-west-1',
      'x-keyd-service': 's3',
      'x-keyd-scope-date': '20261122',
      'x-keyd-signed-at': '2026-11-22T10:00:00.000Z',
      'x-keyd-payload-sha256': EMPTY_BODY_SHA256,
      'x-keyd-mechanism': name === 'presigned' ? 'presigned' : 'header',
    });
    t.match(reply.headers['x-keyd-request-id'], /^[0-9a-f-]{36}$/);
  }
  t.equal(edge.log.filter((line) => line.includes('request-accepted')).length, 4, 'each is recorded');
});

t.test('every no is a 403 with its reason; an outage is no no', async (t) => {
  const edge = await startEdge(t);
  const no = async (message: Message, reason: string): Promise<void> => {
    t.match(await ask(edge, message), { status: 403, headers: { 'x-keyd-reason': reason } }, reason);
  };
  await no(question(signed({ secret: 'wrong' }), 'nginx'), 'signature-mismatch');
  await no(question({ ...signed(), target: '/other' }, 'nginx'), 'signature-mismatch');
  await no(question({ ...signed(), method: 'DELETE' }, 'traefik'), 'signature-mismatch');
  await no(question(signed({ region: 'us-east-1' }), 'nginx'), 'wrong-region');
  await no(question(signed({ host: 'elsewhere.example' }), 'nginx'), 'host-not-served');
  await no(question({ ...signed(), target: 'http://x/' }, 'nginx'), 'malformed-target');
  await no({ ...signed(), headers: [['host', HOST]] }, 'missing-original-request');
  await no(signed(), 'missing-original-request');
  edge.parent.isDown = true;
  const outage = await ask(edge, question(signed({ accessKeyId: 'AKIANOTHELD' }), 'nginx'));
  t.match(outage, { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } });
});

t.test('what could be told by a client as well as by the front is not believed', async (t) => {
  const edge = await startEdge(t);
  const message = signed({ target: '/mine' });
  const cases: Readonly<Record<string, Message>> = {
    'another target': question(message, 'nginx', [['x-forwarded-method', 'GET'], ['x-forwarded-uri', '/other']]),
    'another method': question(message, 'nginx', [['x-forwarded-method', 'PUT'], ['x-forwarded-uri', '/mine']]),
    'half of the other family': question(message, 'nginx', [['x-forwarded-uri', '/mine']]),
    'another host': withHeader(question(message, 'both'), 'X-Forwarded-Host', `other.${HOST}`),
    'a target twice': question(message, 'nginx', [['x-original-uri', '/mine']]),
    'a host twice': question(message, 'traefik', [['x-forwarded-host', HOST]]),
  };
  for (const [name, asked] of Object.entries(cases)) {
    t.match(await ask(edge, asked), { status: 403, headers: { 'x-keyd-reason': 'ambiguous-original-request' } }, name);
  }
  const half = { ...message, headers: [...message.headers, ['x-original-uri', '/mine'] as const] };
  t.equal((await ask(edge, half)).headers['x-keyd-reason'], 'missing-original-request');
});

t.test('bodies stay with the front: refused, or declared for the upstream to check', async (t) => {
  const refusing = await startEdge(t);
  const declaring = await startEdge(t, { env: { KEYD_FORWARD_AUTH_BODIES: 'declared', KEYD_UNSIGNED_PAYLOAD: 'yes' } });
  const body = Buffer.from('content');
  const length = ['X-Original-Content-Length', String(body.length)] as const;
  const chunked = ['X-Original-Transfer-Encoding', 'chunked'] as const;
  const none = ['X-Original-Content-Length', ''] as const;
  const sha256 = sha256Hex(body);
  const exact = signed({ method: 'PUT', body });
  const empty = signed({ method: 'PUT' });
  const unstated = signed({ method: 'POST', payload: { kind: 'body', sha256: EMPTY_BODY_SHA256 } });
  const unsigned = signed({ method: 'PUT', payload: { kind: 'unsigned' } });
  type Told = readonly [string, string];
  const of = async (edge: EdgeUnderTest, message: Message, ...told: Told[]): Promise<unknown> => {
    const { status, headers } = await ask(edge, question(message, 'nginx', told));
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
  const streaming = signed({ method: 'PUT', payload: { kind: 'streaming-signed' } });
  t.equal(await of(declaring, streaming, length), 'payload-mode-refused');
});

t.test('a signed content-length is the one that the client sent', async (t) => {
  const edge = await startEdge(t, { env: { KEYD_FORWARD_AUTH_BODIES: 'declared' } });
  const message = signed({ method: 'PUT', body: 'content', headers: [['content-length', '7']] });
  const stripped = { ...message, headers: message.headers.filter(([name]) => name !== 'content-length') };
  const asked = (length: string): Message => question(stripped, 'nginx', [['X-Original-Content-Length', length]]);
  t.equal((await ask(edge, asked('7'))).status, 204);
  t.equal((await ask(edge, asked('8'))).headers['x-keyd-reason'], 'signature-mismatch');
});
