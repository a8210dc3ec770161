import { readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { EMPTY_BODY_SHA256, sha256Hex } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { presigned, send, signed, wireOf, type Message } from './client.js';
import { startEdge, type EdgeUnderTest } from './edge-under-test.js';

const SMALL = Buffer.from('a small body');
const LARGE = Buffer.alloc(300 * 1024, 'a large body, ');
const UNSIGNED = { KEYD_PAYLOAD_MODES: 'exact,body,unsigned' };
const SPOOLING = { KEYD_BODY_IN_MEMORY: '16KiB', KEYD_LARGEST_BODY: '1MiB' };

/** Descriptors of this process that are files without a name: spools that nobody closed. */
function openSpools(): { readonly isNameless: boolean; readonly mode: number }[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      if (!path.includes('/edge-verifier-')) return [];
      return [{ isNameless: path.endsWith(' (deleted)'), mode: statSync(`/proc/self/fd/${fd}`).mode }];
    } catch {
      return [];
    }
  });
}

/** An answer may arrive a turn before the edge has cleaned up; a file that stays open makes the test time out. */
async function nothingIsLeft(t: Test, edge: EdgeUnderTest): Promise<void> {
  t.strictSame(readdirSync(edge.spoolFolder), [], 'no file has a name');
  await until(() => openSpools().length === 0);
}

/** Waits for what happens in other turns of the event loop, such as a connection that closes. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

function reasonOf({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): unknown {
  return headers['x-keyd-reason'];
}

t.test('bodies arrive whole, from memory and from the spool, with length and in chunks', async (t) => {
  const edge = await startEdge(t, { env: SPOOLING });
  const { proxy, upstream } = edge;
  for (const body of [SMALL, LARGE]) {
    for (const chunked of [false, true]) {
      const reply = await send(proxy, signed({ method: 'PUT', body }), { chunked });
      t.equal(reply.status, 200, `${body.length} bytes, chunked: ${chunked}`);
      t.ok(upstream.last.body.equals(body));
      t.strictSame(upstream.lastHeader('content-length'), [String(body.length)]);
      t.strictSame(upstream.lastHeader('transfer-encoding'), []);
      t.strictSame(upstream.lastHeader('x-keyd-payload-sha256'), [sha256Hex(body)]);
    }
  }
  await send(proxy, signed({ method: 'PUT', unsigned: [['content-length', '0']] }));
  t.strictSame(upstream.lastHeader('content-length'), ['0'], 'an empty body stays announced');
  await send(proxy, signed());
  t.strictSame(upstream.lastHeader('content-length'), [], 'no body stays unannounced');
  await nothingIsLeft(t, edge);
});

t.test('a body other than the signed one: the upstream sees not a byte of the request', async (t) => {
  const edge = await startEdge(t, { env: SPOOLING });
  for (const body of [SMALL, LARGE]) {
    const other = Buffer.from(body);
    other[other.length - 1] = 0;
    for (const chunked of [false, true]) {
      const exact = await send(edge.proxy, { ...signed({ method: 'PUT', body }), body: other }, { chunked });
      t.match(exact, { status: 400, headers: { 'x-keyd-reason': 'payload-hash-mismatch' } });
      t.match(exact.body, /<Code>XAmzContentSHA256Mismatch<\/Code>/);
      const payload = { kind: 'body', sha256: sha256Hex(body) } as const;
      const message = { ...signed({ method: 'PUT', body, payload }), body: other };
      const unstated = await send(edge.proxy, message, { chunked });
      t.match(unstated, { status: 403, headers: { 'x-keyd-reason': 'signature-mismatch' } });
    }
  }
  const smuggled = await send(edge.proxy, { ...signed({ method: 'GET' }), body: SMALL });
  t.equal(reasonOf(smuggled), 'payload-hash-mismatch', 'a body where none was signed');
  t.equal(edge.upstream.wire, '');
  await nothingIsLeft(t, edge);
});

t.test('a body whose hash is not stated is hashed here', async (t) => {
  const edge = await startEdge(t, { service: 'dynamodb', env: SPOOLING });
  for (const body of [Buffer.alloc(0), SMALL, LARGE]) {
    const payload = { kind: 'body', sha256: sha256Hex(body) } as const;
    const reply = await send(edge.proxy, signed({ method: 'POST', service: 'dynamodb', body, payload }));
    t.equal(reply.status, 200);
    t.ok(edge.upstream.last.body.equals(body));
    t.strictSame(edge.upstream.lastHeader('x-keyd-payload-sha256'), [sha256Hex(body)]);
  }
  await nothingIsLeft(t, edge);
});

t.test('a made-up signature gets no body read, and no "100 Continue"', async (t) => {
  const edge = await startEdge(t);
  const expecting = { expectContinue: true };
  const good = await send(edge.proxy, signed({ method: 'PUT', body: SMALL }), expecting);
  t.match(good, { status: 200, continued: true });
  t.ok(edge.upstream.last.body.equals(SMALL));
  t.strictSame(edge.upstream.lastHeader('expect'), []);
  const bad = await send(edge.proxy, signed({ method: 'PUT', body: SMALL, secret: 'wrong' }), expecting);
  t.match(bad, { status: 403, continued: false, headers: { 'x-keyd-reason': 'signature-mismatch' } });
  const unknown = await send(edge.proxy, signed({ method: 'PUT', body: SMALL, accessKeyId: 'AKIAUNKNOWN' }), expecting);
  t.match(unknown, { status: 403, continued: false, headers: { 'x-keyd-reason': 'access-key-unknown' } });
});

t.test('a client that sends on after a refusal still reads the answer', async (t) => {
  const edge = await startEdge(t);
  const message = signed({ method: 'PUT', body: Buffer.alloc(8 * 1024 * 1024), secret: 'wrong' });
  const reply = await send(edge.proxy, message);
  t.match(reply, { status: 403, headers: { 'x-keyd-reason': 'signature-mismatch', connection: 'close' } });
});

t.test('the connection stays a while after such a refusal, so that the answer is not lost to a reset', async (t) => {
  const edge = await startEdge(t);
  const [host, port] = edge.proxy.split(':');
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  let answer = '';
  let isEnded = false;
  socket.on('data', (chunk) => (answer += chunk.toString('latin1'))).on('end', () => (isEnded = true));
  socket.write(wireOf(signed({ method: 'PUT', body: LARGE, secret: 'wrong' }), [`content-length: ${LARGE.length}`]));
  await until(() => answer.includes('</Error>'));
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
  t.notOk(isEnded, 'the client may go on sending');
  await edge.clock.advance(2_000);
  await until(() => isEnded);
  t.match(answer, /^HTTP\/1.1 403 .*connection: close/s);
  socket.destroy();
});

t.test('a body that is too large: by its length at once, in chunks as soon as it is', async (t) => {
  const edge = await startEdge(t, { env: { ...SPOOLING, KEYD_LARGEST_BODY: '64KiB', ...UNSIGNED } });
  const announced = await send(edge.proxy, signed({ method: 'PUT', body: LARGE }), { expectContinue: true });
  t.match(announced, { status: 400, continued: false, headers: { 'x-keyd-reason': 'body-too-large' } });
  t.match(announced.body, /<Code>EntityTooLarge<\/Code>/);
  const unannounced = await send(edge.proxy, signed({ method: 'PUT', body: LARGE }), { chunked: true });
  t.equal(reasonOf(unannounced), 'body-too-large');
  t.equal(edge.upstream.requests.length, 0);
  const unsigned = signed({ method: 'PUT', body: LARGE, payload: { kind: 'unsigned' } });
  t.equal(reasonOf(await send(edge.proxy, unsigned, { chunked: true })), 'body-too-large', 'unsigned, in the stream');
  t.equal(edge.upstream.requests.length, 0, 'the upstream never saw the end of it');
  await nothingIsLeft(t, edge);
});

t.test('unsigned payloads stream through where they are accepted', async (t) => {
  const edge = await startEdge(t, { env: UNSIGNED });
  for (const chunked of [false, true]) {
    const message = signed({ method: 'PUT', body: LARGE, payload: { kind: 'unsigned' } });
    const reply = await send(edge.proxy, message, { chunked });
    t.equal(reply.status, 200);
    t.ok(edge.upstream.last.body.equals(LARGE));
    t.strictSame(edge.upstream.lastHeader('x-keyd-payload-sha256'), ['UNSIGNED-PAYLOAD']);
    t.strictSame(edge.upstream.lastHeader('content-length'), chunked ? [] : [String(LARGE.length)]);
  }
  const put = await send(edge.proxy, presigned({ method: 'PUT', body: SMALL }));
  t.equal(put.status, 200, 'a presigned upload');

  edge.upstream.early = (request, response) => {
    response.writeHead(409).end('no need');
    request.resume();
  };
  const early = await send(edge.proxy, signed({ method: 'PUT', body: SMALL, payload: { kind: 'unsigned' } }));
  t.match(early, { status: 409, body: 'no need' }, 'an answer before the end of the body');
});

t.test('unsigned payloads are refused where they are not, except those of no bytes', async (t) => {
  const edge = await startEdge(t);
  const cases: [string, Message][] = [
    ['header', signed({ method: 'PUT', body: SMALL, payload: { kind: 'unsigned' } })],
    ['presigned', presigned({ method: 'PUT', body: SMALL })],
  ];
  for (const [name, message] of cases) {
    const reply = await send(edge.proxy, message);
    t.match(reply, { status: 501, headers: { 'x-keyd-reason': 'payload-mode-refused' } }, name);
    t.match(reply.body, /<Code>NotImplemented<\/Code>/);
  }
  t.equal(edge.upstream.wire, '');
  t.equal((await send(edge.proxy, signed({ payload: { kind: 'unsigned' } }))).status, 200);
  t.strictSame(edge.upstream.lastHeader('x-keyd-payload-sha256'), [EMPTY_BODY_SHA256]);
});

t.test('a client that leaves in the middle of its body leaves nothing behind', async (t) => {
  const edge = await startEdge(t, { env: { ...SPOOLING, ...UNSIGNED } });
  const [host, port] = edge.proxy.split(':');
  for (const payload of [{ kind: 'exact', sha256: sha256Hex(LARGE) }, { kind: 'unsigned' }] as const) {
    let upstreamLost = payload.kind === 'exact';
    edge.upstream.early = (request) => request.on('error', () => (upstreamLost = true)).resume();
    const message = signed({ method: 'PUT', body: LARGE, payload });
    const socket = connect(Number(port), host ?? '');
    await once(socket, 'connect');
    socket.write(wireOf(message, [`content-length: ${LARGE.length}`]));
    socket.write(LARGE.subarray(0, 200 * 1024));
    if (payload.kind === 'exact') await until(() => openSpools().some(({ isNameless }) => isNameless));
    else await until(() => edge.upstream.wire.length > 100_000);
    t.strictSame(readdirSync(edge.spoolFolder), [], 'the spool has no name while it is in use');
    for (const { mode } of openSpools()) t.equal(mode & 0o777, 0o600, 'and is for its owner alone');
    socket.destroy();
    await until(() => openSpools().length === 0 && upstreamLost);
    t.pass(`${payload.kind}: everything is closed`);
  }
  await nothingIsLeft(t, edge);
});

t.test('a client that stalls in the middle of its body is told so, and let go', async (t) => {
  const edge = await startEdge(t, { env: { ...SPOOLING, KEYD_BODY_IDLE: '30s' } });
  const [host, port] = edge.proxy.split(':');
  const socket = connect(Number(port), host ?? '');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  socket.write(wireOf(signed({ method: 'PUT', body: LARGE }), [`content-length: ${LARGE.length}`]));
  socket.write(LARGE.subarray(0, 100 * 1024));
  await until(() => openSpools().length === 1);
  await edge.clock.advance(29_000);
  t.equal(answer, '', 'not before its time');
  // The pause counts from the last part, and parts may have been on their way still; then comes the lingering.
  while (!socket.closed) await edge.clock.advance(1_000);
  t.match(answer, /^HTTP\/1.1 400 .*x-keyd-reason: request-timeout.*<Code>RequestTimeout<\/Code>/s);
  await until(() => openSpools().length === 0);
  await nothingIsLeft(t, edge);
});

t.test('a spool that cannot be made or filled: a clear answer, nothing sent, nothing kept', async (t) => {
  const edge = await startEdge(t, { env: SPOOLING });
  rmSync(edge.spoolFolder, { recursive: true });
  const reply = await send(edge.proxy, signed({ method: 'PUT', body: LARGE }));
  t.match(reply, { status: 503, headers: { 'x-keyd-reason': 'spool-unavailable' } });
  t.match(reply.body, /<Code>ServiceUnavailable<\/Code>/);
  t.equal(edge.upstream.wire, '');
  t.ok(
    edge.log.some((line) => line.includes('ENOENT') && line.includes('"level":"error"')),
    'the log has the cause',
  );
  const small = await send(edge.proxy, signed({ method: 'PUT', body: SMALL }));
  t.equal(small.status, 200, 'small bodies are served still');
});

t.test('a slow upstream holds a large body back', async (t) => {
  const edge = await startEdge(t, { env: UNSIGNED });
  const [host, port] = edge.proxy.split(':');
  let release = (): void => undefined;
  edge.upstream.early = (request, response) => {
    release = () => request.resume().on('end', () => response.end('done'));
  };
  const body = Buffer.alloc(32 * 1024 * 1024);
  const message = signed({ method: 'PUT', body, payload: { kind: 'unsigned' } });
  const socket = connect(Number(port), host ?? '');
  let answer = '';
  let isTaken = false;
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  socket.write(wireOf(message, [`content-length: ${body.length}`]));
  socket.write(body, () => (isTaken = true));
  await until(() => edge.upstream.wire.length > 50_000);
  for (let turn = 0; turn < 1_000; turn += 1) await new Promise(setImmediate);
  t.ok(edge.upstream.wire.length < body.length / 2, 'the upstream was not sent what it does not read');
  t.notOk(isTaken, 'and nobody took it from the client');
  release();
  await until(() => answer.endsWith('done'));
  socket.destroy();
});
