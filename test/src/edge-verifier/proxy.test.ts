import { EMPTY_BODY_SHA256, sha256Hex } from '@sigv4-keyd/sigv4-core';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { ACCESS_KEY_ID, HOST, presigned, send, signed, type Message } from './client.js';
import { startEdge } from './edge-under-test.js';

t.test('a verified request is served, its target byte for byte', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const targets = [
    '/',
    '/a%2Fb',
    '/a//b/',
    '//double',
    '/../up/./here/..',
    '/caf%C3%A9/%e2%82%ac',
    '/a%20b+c',
    '/x?empty=&flag&b=2&a=1&a=0',
    '/x?q=a+b%2Bc',
    "/~tilde/(paren)!*'/;semi,comma:@$&=",
    '/%00%7f%c3%28',
    '/?',
    '/a?b?c=/d//..',
    '/[brackets]{}|^"<>\\',
  ];
  for (const target of targets) {
    upstream.wire = '';
    const reply = await send(proxy, signed({ target }));
    t.equal(reply.status, 200, `${target} is served`);
    t.ok(upstream.wire.startsWith(`GET ${target} HTTP/1.1\r\n`), `${target} arrives as it was`);
  }
});

t.test('methods of every kind reach the upstream', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  for (const method of ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'MKCOL', 'LOCK', 'QUERY']) {
    const body = method === 'GET' ? '' : 'with a body';
    const reply = await send(proxy, signed({ method, body }));
    t.equal(reply.status, 200, `${method} is served`);
    t.match(upstream.last, { method, body: Buffer.from(body) });
  }
});

t.test('presigned URLs are served with their target untouched', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const message = presigned({ target: '/a%2Fb?versionId=1' });
  t.equal((await send(proxy, message)).status, 200);
  t.equal(upstream.last.target, message.target);
  t.strictSame(upstream.lastHeader('x-keyd-mechanism'), ['presigned']);
  t.strictSame(upstream.lastHeader('x-keyd-payload-sha256'), [EMPTY_BODY_SHA256], 'a body of no bytes');
});

t.test('the upstream is told who signed what', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  await send(proxy, signed({ method: 'PUT', target: '/k', body: 'content' }));
  const told = (name: string): string[] => upstream.lastHeader(`x-keyd-${name}`);
  t.strictSame(told('access-key-id'), [ACCESS_KEY_ID]);
  t.strictSame(told('region'), ['eu-west-1']);
  t.strictSame(told('service'), ['s3']);
  t.strictSame(told('scope-date'), ['20261122']);
  t.strictSame(told('signed-at'), ['2026-11-22T10:00:00.000Z']);
  t.strictSame(told('mechanism'), ['header']);
  t.strictSame(told('payload-sha256'), [sha256Hex(Buffer.from('content'))]);
  t.match(told('request-id'), [/^[0-9a-f-]{36}$/]);
  t.strictSame(upstream.lastHeader('host'), [HOST], 'the signed host');
  t.strictSame(upstream.lastHeader('x-forwarded-for'), ['127.0.0.1']);
  t.strictSame(upstream.lastHeader('x-forwarded-proto'), ['http']);
  t.strictSame(upstream.lastHeader('x-forwarded-host'), [HOST]);
  t.strictSame(upstream.lastHeader('authorization'), [], 'not the Authorization header');
});

t.test('the Authorization header goes on where that is configured', async (t) => {
  const { proxy, upstream } = await startEdge(t, { env: { KEYD_FORWARD_AUTHORIZATION: 'yes' } });
  await send(proxy, signed());
  t.equal(upstream.lastHeader('authorization').length, 1);
});

t.test("a client's own identity headers never reach the upstream", async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const spoofed: [string, string][] = [
    ['x-keyd-access-key-id', 'AKIASPOOFED'],
    ['X-Keyd-Access-Key-Id', 'AKIASPOOFED'],
    ['X-KEYD-ACCESS-KEY-ID', 'AKIASPOOFED'],
    ['x_keyd_access_key_id', 'AKIASPOOFED'],
    ['X-Keyd_Access-Key_Id', 'AKIASPOOFED'],
    ['x.keyd.access.key.id', 'AKIASPOOFED'],
    ['x-keyd-anything', 'AKIASPOOFED'],
    ['x-forwarded-for', 'AKIASPOOFED'],
    ['X_Forwarded_Host', 'AKIASPOOFED'],
    ['forwarded', 'for=AKIASPOOFED'],
    ['x-real-ip', 'AKIASPOOFED'],
  ];
  for (const header of spoofed) {
    upstream.wire = '';
    const repeated = await send(proxy, signed({ unsigned: [header, header] }));
    t.equal(repeated.status, 200);
    t.notMatch(upstream.wire, /SPOOFED/, `${header[0]} unsigned and repeated`);
    t.equal((await send(proxy, signed({ headers: [header] }))).status, 200);
    t.notMatch(upstream.wire, /SPOOFED/, `${header[0]} signed`);
    t.strictSame(upstream.lastHeader('x-keyd-access-key-id'), [ACCESS_KEY_ID]);
  }
});

t.test('hop-by-hop headers end here; other headers keep their bytes, order and repetitions', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const unsigned: [string, string][] = [
    ['Connection', 'close, X-Private'],
    ['X-Private', 'of this hop'],
    ['Keep-Alive', 'timeout=5'],
    ['TE', 'trailers'],
    ['Proxy-Authorization', 'Basic eHg6eHg='],
    ['X-Twice', 'one'],
    ['X-Twice', 'two'],
    ['X-Latin', 'caf\u00e9'],
    ['x_odd~name', '  spaced  out  '],
  ];
  t.equal((await send(proxy, signed({ unsigned }))).status, 200);
  for (const name of ['x-private', 'keep-alive', 'te', 'proxy-authorization']) {
    t.strictSame(upstream.lastHeader(name), [], name);
  }
  t.notMatch(upstream.lastHeader('connection'), [/private/i]);
  t.strictSame(upstream.lastHeader('x-twice'), ['one', 'two']);
  t.strictSame(upstream.lastHeader('x-latin'), ['caf\u00e9']);
  t.strictSame(upstream.lastHeader('x_odd~name'), ['spaced  out']);
});

t.test('a signed header that is named in Connection is refused: it would be verified and not served', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const message = signed({ headers: [['x-amz-acl', 'private']], unsigned: [['connection', 'X-Amz-Acl']] });
  const reply = await send(proxy, message);
  t.equal(reply.headers['x-keyd-reason'], 'connection-names-signed-header');
  t.equal(upstream.wire, '');
});

t.test("the upstream's answer comes back as it is", async (t) => {
  const { proxy, upstream } = await startEdge(t);
  upstream.answer = (_request, response) => {
    const headers = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Latin', 'caf\u00e9', 'ETag', '"x"'];
    response.writeHead(207, 'Many Things', headers);
    response.end(Buffer.from('b\u00f6dy'));
  };
  const reply = await send(proxy, signed());
  t.equal(reply.status, 207);
  t.equal(reply.statusText, 'Many Things');
  t.strictSame(reply.headers['set-cookie'], ['a=1', 'b=2']);
  t.equal(reply.headers['x-latin'], 'caf\u00e9');
  t.ok(reply.rawHeaders.includes('ETag'), 'with the case of its names');
  t.match(reply.headers['x-amz-request-id'], /^[0-9a-f-]{36}$/, 'with a request id where it had none');
  t.equal(Buffer.from(reply.body, 'latin1').toString('utf8'), 'b\u00f6dy');
});

t.test('answers without a body: HEAD, 204, 304', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  upstream.answer = (_request, response) => response.writeHead(200, { 'content-length': 1234 }).end();
  const head = await send(proxy, signed({ method: 'HEAD' }));
  t.match(head, { status: 200, body: '', headers: { 'content-length': '1234' } });
  for (const status of [204, 304]) {
    upstream.answer = (_request, response) => response.writeHead(status, { etag: '"x"' }).end();
    const reply = await send(proxy, signed());
    t.match(reply, { status, body: '', headers: { etag: '"x"' } });
    t.notOk('transfer-encoding' in reply.headers, `${status} has no framing`);
  }
  const refused = await send(proxy, signed({ method: 'HEAD', secret: 'wrong' }));
  t.match(refused, { status: 403, body: '' });
});

t.test('large answers stream through, and one that breaks off ends the connection', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const part = Buffer.alloc(64 * 1024, 'p');
  upstream.answer = (_request, response) => {
    for (let count = 0; count < 64; count += 1) response.write(part);
    response.end();
  };
  t.equal((await send(proxy, signed())).body.length, 64 * part.length);
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 });
    response.write(part, () => response.destroy());
  };
  await t.rejects(send(proxy, signed()), 'the client sees that the answer is not whole');
});

t.test('an upstream that is down, silent or no HTTP server', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  await upstream.close();
  const down = await send(proxy, signed());
  t.match(down, { status: 503, headers: { 'x-keyd-reason': 'upstream-unreachable' } });
  t.match(down.body, /<Code>ServiceUnavailable<\/Code>/);

  const babbler = createServer((socket) => socket.end('what?\r\n\r\n'));
  await new Promise<void>((resolve) => babbler.listen(0, '127.0.0.1', resolve));
  t.teardown(() => babbler.close());
  const url = `http://127.0.0.1:${(babbler.address() as AddressInfo).port}`;
  const other = await startEdge(t, { env: { KEYD_UPSTREAM: url } });
  t.match(await send(other.proxy, signed()), { status: 502, headers: { 'x-keyd-reason': 'upstream-failed' } });
});

t.test('hosts: configured ones in any case, wildcards, nothing else', async (t) => {
  const { proxy, upstream } = await startEdge(t, {
    env: { KEYD_EXTERNAL_HOSTS: 'a.example,b.example:8080,*.c.example,*.d.example:99' },
  });
  const served = ['a.example', 'A.Example', 'b.example:8080', 'x.c.example', 'my.bucket.c.example', 'x.d.example:99'];
  for (const host of served) t.equal((await send(proxy, signed({ host }))).status, 200, host);
  upstream.wire = '';
  const refused = ['b.example', 'a.example:80', 'c.example', '.c.example', 'x..c.example', 'xa.example', '/.c.example'];
  for (const host of refused) {
    const reply = await send(proxy, signed({ host }));
    t.match(reply, { status: 403, headers: { 'x-keyd-reason': 'host-not-served' } }, host);
  }
  t.equal(upstream.wire, '');
});

t.test('services other than S3: normalised paths only, unless configured otherwise', async (t) => {
  const strict = await startEdge(t, { service: 'execute-api' });
  const send1 = (message: Message): ReturnType<typeof send> => send(strict.proxy, message);
  t.equal((await send1(signed({ service: 'execute-api', target: '/a%2Fb/c?x=' }))).status, 200);
  const reply = await send1(signed({ service: 'execute-api', target: '/a//b' }));
  t.equal(reply.headers['x-keyd-reason'], 'path-not-normalised');
  t.equal(reply.headers['content-type'], 'application/json');

  const lenient = await startEdge(t, { service: 'execute-api', env: { KEYD_UNNORMALISED_PATHS: 'yes' } });
  t.equal((await send(lenient.proxy, signed({ service: 'execute-api', target: '/a//b' }))).status, 200);
  t.equal(lenient.upstream.last.target, '/a//b');
});

t.test('a kept connection serves one request after the other', async (t) => {
  const { proxy } = await startEdge(t);
  const { Agent, request } = await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (const secret of [undefined, 'wrong', undefined]) {
    const { method, target, headers } = signed(secret === undefined ? {} : { secret });
    const [host, port] = proxy.split(':');
    await new Promise<void>((resolve, reject) => {
      request({ host, port, method, path: target, headers: headers.flat(), setHost: false, agent }, (response) => {
        ports.add(response.socket.localPort);
        response.resume().on('end', resolve);
      })
        .on('error', reject)
        .end();
    });
  }
  t.equal(ports.size, 1, 'refusals keep the connection too');
});
