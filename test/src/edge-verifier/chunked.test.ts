import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { CHECKSUMS } from '@sigv4-keyd/payload-streams';
import { PAYLOAD_TOKENS, isChecksumHeader, sha256Hex } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { chunked, withChangedByte, type ChunkedDraft } from './chunked-client.js';
import { presigned, send, signed, wireOf, type Message } from './client.js';
import { startEdge, type EdgeUnderTest } from './edge-under-test.js';

const MODES = ['streaming-signed', 'streaming-signed-trailer', 'streaming-unsigned-trailer'] as const;
const ALGORITHMS = Object.keys(CHECKSUMS).filter(isChecksumHeader);
const SMALL = Buffer.from('a small body');
const LARGE = Buffer.alloc(300 * 1024, 'a large body, ');
/** Bodies above 16 KiB stream. */
const STREAMING = { KEYD_BODY_IN_MEMORY: '16KiB' };

function reasonOf({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): unknown {
  return headers['x-keyd-reason'];
}

/** Waits for what happens in other turns of the event loop. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

/** What an upstream saw of one request: the body as far as it came, and whether that was all of it. */
interface Seen {
  readonly length: string | undefined;
  body: Buffer;
  end: 'open' | 'whole' | 'broken';
}

/** Makes the upstream of an edge keep what it gets of bodies that break off, too. */
function watchBodies(edge: EdgeUnderTest): Seen[] {
  const all: Seen[] = [];
  edge.upstream.early = (request: IncomingMessage, response) => {
    const seen: Seen = { length: request.headers['content-length'], body: Buffer.alloc(0), end: 'open' };
    all.push(seen);
    request.on('data', (part: Buffer) => (seen.body = Buffer.concat([seen.body, part])));
    request.on('end', () => {
      seen.end = 'whole';
      response.end('served');
    });
    request.on('error', () => (seen.end = 'broken'));
  };
  return all;
}

t.test('the upstream gets the data, and headers that are true of it', async (t) => {
  const edge = await startEdge(t, { env: STREAMING });
  const { proxy, upstream } = edge;
  for (const kind of MODES) {
    for (const data of [Buffer.alloc(0), SMALL, LARGE]) {
      for (const inHttpChunks of [false, true]) {
        const message = await chunked({
          kind,
          data,
          headers: [
            ['x-amz-sdk-checksum-algorithm', 'CRC32C'],
            ['x-amz-meta-a', 'b'],
            ['content-type', 'text/plain'],
          ],
        });
        const reply = await send(proxy, message, { chunked: inHttpChunks });
        const name = `${kind}, ${data.length} bytes, transfer-encoding: ${inHttpChunks}`;
        t.equal(reply.status, 200, `${name}: ${reply.body}`);
        t.ok(upstream.last.body.equals(data), name);
        t.strictSame(upstream.lastHeader('content-length'), [String(data.length)]);
        t.strictSame(upstream.lastHeader('x-keyd-payload-sha256'), [PAYLOAD_TOKENS[kind]]);
        const gone = ['content-encoding', 'transfer-encoding', 'x-amz-trailer', 'x-amz-decoded-content-length'];
        for (const header of [...gone, 'x-amz-content-sha256']) t.strictSame(upstream.lastHeader(header), [], header);
        t.strictSame(upstream.lastHeader('x-amz-meta-a'), ['b']);
        const isTold = kind === 'streaming-signed';
        t.strictSame(upstream.lastHeader('x-amz-sdk-checksum-algorithm'), isTold ? ['CRC32C'] : []);
      }
    }
  }
  await send(proxy, await chunked({ kind: 'streaming-signed', data: SMALL, contentEncoding: 'gzip' }));
  t.strictSame(upstream.lastHeader('content-encoding'), ['gzip'], 'what the data itself is encoded in stays');
});

t.test('or all as it was received, where that is configured', async (t) => {
  const edge = await startEdge(t, { env: { ...STREAMING, KEYD_CHUNKED_UPSTREAM: 'as-received' } });
  const { proxy, upstream } = edge;
  for (const kind of MODES) {
    for (const data of [Buffer.alloc(0), SMALL, LARGE]) {
      const message = await chunked({ kind, data });
      t.equal((await send(proxy, message)).status, 200);
      t.ok(upstream.last.body.equals(message.body), `${kind}, ${data.length} bytes`);
      t.strictSame(upstream.lastHeader('content-length'), [String(message.body.length)]);
      t.strictSame(upstream.lastHeader('content-encoding'), ['aws-chunked']);
      t.strictSame(upstream.lastHeader('x-amz-content-sha256'), [PAYLOAD_TOKENS[kind]]);
      t.strictSame(upstream.lastHeader('x-amz-decoded-content-length'), [String(data.length)]);
      t.equal((await send(proxy, message, { chunked: true })).status, 200);
      t.ok(upstream.last.body.equals(message.body));
    }
  }
  const forged = await send(proxy, withChangedByte(await chunked({ kind: 'streaming-signed', data: LARGE }), -200));
  t.equal(reasonOf(forged), 'chunk-signature-mismatch');
});

t.test('a small body with anything wrong in it: the upstream sees not a byte of the request', async (t) => {
  const edge = await startEdge(t, { env: STREAMING });
  for (const kind of MODES) {
    const message = await chunked({ kind, data: SMALL });
    for (let at = 0; at < message.body.length; at += 1) {
      const reply = await send(edge.proxy, withChangedByte(message, at));
      // A digit of a size has a second spelling.
      if (reply.status === 200 && edge.upstream.last.body.equals(SMALL)) edge.upstream.wire = '';
      else if (reply.status < 400) t.fail(`${kind}: byte ${at} was changed, and the body accepted`);
    }
    t.equal(edge.upstream.wire, '', kind);
    const cut = await send(edge.proxy, { ...message, body: message.body.subarray(0, -3) });
    t.equal(reasonOf(cut), 'incomplete-body');
    const more = await send(edge.proxy, { ...message, body: Buffer.concat([message.body, Buffer.from('GET / HTTP')]) });
    t.equal(reasonOf(more), 'malformed-chunk', 'what follows the end');
  }
  t.equal(edge.upstream.wire, '');
});

t.test('a large body that goes wrong: the upstream gets verified chunks, and never all of it', async (t) => {
  const edge = await startEdge(t, { env: STREAMING });
  const seen = watchBodies(edge);
  const wrong = async (kind: ChunkedDraft['kind'], at: number): Promise<unknown> => {
    const reply = await send(edge.proxy, withChangedByte(await chunked({ kind, data: LARGE }), at));
    return reasonOf(reply);
  };
  t.equal(await wrong('streaming-signed', 100), 'chunk-signature-mismatch');
  t.strictSame(seen, [], 'its first chunk: the upstream hears nothing of it');

  const rows = [
    ['streaming-signed', 150_000, 'chunk-signature-mismatch'],
    ['streaming-signed', -80, 'malformed-chunk'],
    ['streaming-signed', -10, 'chunk-signature-mismatch'],
    ['streaming-signed-trailer', -160, 'chunk-signature-mismatch'],
    ['streaming-signed-trailer', -10, 'trailer-signature-mismatch'],
    ['streaming-unsigned-trailer', 150_000, 'checksum-mismatch'],
  ] as const;
  for (const [kind, at, reason] of rows) {
    seen.length = 0;
    t.equal(await wrong(kind, at), reason, `${kind}, byte ${at}`);
    await until(() => seen.every(({ end }) => end !== 'open'));
    const [request] = seen;
    t.match(request, { end: 'broken', length: String(LARGE.length) }, 'the upstream was told the length');
    const body = request?.body ?? Buffer.alloc(0);
    t.ok(body.length < LARGE.length, `and got ${body.length} of ${LARGE.length} bytes`);
    if (kind !== 'streaming-unsigned-trailer') t.ok(LARGE.subarray(0, body.length).equals(body), 'of verified data');
  }
  const good = await send(edge.proxy, await chunked({ kind: 'streaming-signed', data: LARGE }));
  t.equal(good.status, 200, 'the next one is served');
});

t.test('every checksum in a trailer is verified', async (t) => {
  const edge = await startEdge(t, { env: STREAMING });
  const seen = watchBodies(edge);
  for (const trailer of ALGORITHMS) {
    for (const data of [Buffer.alloc(0), SMALL, LARGE]) {
      const message = await chunked({ kind: 'streaming-unsigned-trailer', data, trailer });
      t.equal((await send(edge.proxy, message)).status, 200, `${trailer}, ${data.length} bytes`);
      if (data.length === 0) continue;
      seen.length = 0;
      const reply = await send(edge.proxy, withChangedByte(message, 100 % (data.length + 3)));
      t.match(reply, { status: 400, headers: { 'x-keyd-reason': 'checksum-mismatch' } }, trailer);
      t.match(reply.body, /<Code>BadDigest<\/Code>/);
      await until(() => seen.every(({ end }) => end !== 'open'));
      t.notOk(
        seen.some(({ end }) => end === 'whole'),
        'the upstream never gets all of it',
      );
    }
  }
});

t.test('checksums that headers state are verified, in every payload mode', async (t) => {
  const edge = await startEdge(t, { env: { ...STREAMING, KEYD_PAYLOAD_MODES: 'exact,unsigned,streaming-signed' } });
  const seen = watchBodies(edge);
  for (const name of ALGORITHMS) {
    for (const data of [SMALL, LARGE]) {
      const checksum = CHECKSUMS[name]();
      checksum.update(data);
      const right = (await checksum.digest()).toString('base64');
      const wrong = `${right.startsWith('A') ? 'B' : 'A'}${right.slice(1)}`;
      const messages = async (value: string): Promise<readonly Message[]> => [
        signed({ method: 'PUT', body: data, headers: [[name, value]] }),
        signed({ method: 'POST', target: '/b?delete', body: data, headers: [[name, value]] }),
        signed({ method: 'PUT', body: data, headers: [[name, value]], payload: { kind: 'unsigned' } }),
        await chunked({ kind: 'streaming-signed', data, headers: [[name, value]] }),
      ];
      seen.length = 0;
      for (const message of await messages(right)) t.equal((await send(edge.proxy, message)).status, 200, name);
      await until(() => seen.every(({ end }) => end !== 'open'));
      for (const message of await messages(wrong)) {
        seen.length = 0;
        t.equal(reasonOf(await send(edge.proxy, message)), 'checksum-mismatch', name);
        await until(() => seen.every(({ end }) => end !== 'open'));
        t.notOk(
          seen.some(({ end }) => end === 'whole'),
          'the upstream never gets all of it',
        );
      }
      for (const message of await messages(`${right} `.slice(1))) {
        t.equal(reasonOf(await send(edge.proxy, message)), 'malformed-checksum', name);
      }
    }
  }
  const object = [['x-amz-checksum-crc32', 'AAAAAA==']] as const;
  const completing = signed({ method: 'POST', target: '/b/k?uploadId=1', body: '<xml/>', headers: object });
  t.equal((await send(edge.proxy, completing)).status, 200, 'the checksum of an object is not that of the request');
  const json = await startEdge(t, { service: 'execute-api' });
  const other = signed({ method: 'POST', service: 'execute-api', body: 'x', headers: object });
  t.equal((await send(json.proxy, other)).status, 200, 'and other services may mean another thing');
});

t.test('lengths that disagree, and limits', async (t) => {
  const edge = await startEdge(t, {
    env: { KEYD_BODY_IN_MEMORY: '1KiB', KEYD_LARGEST_BODY: '64KiB', KEYD_LARGEST_CHUNK: '16KiB' },
  });
  const reasonFor = async (draft: ChunkedDraft): Promise<unknown> => {
    const reply = await send(edge.proxy, await chunked(draft), { expectContinue: true });
    return reply.continued ? reasonOf(reply) : `${String(reasonOf(reply))} at once`;
  };
  const fits = { kind: 'streaming-signed', data: LARGE.subarray(0, 64 * 1024) } as const;
  t.equal(await reasonFor(fits), undefined, 'the limit is on the data: its framing may come on top');
  t.equal(await reasonFor({ kind: 'streaming-signed', data: LARGE }), 'body-too-large at once');
  t.equal(await reasonFor({ ...fits, chunkBytes: 16_385 }), 'chunk-too-large');
  t.equal(await reasonFor({ ...fits, chunkBytes: 8_191 }), 'chunk-too-small');
  t.equal(await reasonFor({ ...fits, secret: 'wrong' }), 'signature-mismatch at once');

  const message = await chunked(fits);
  const short = { ...message, body: message.body.subarray(0, 64 * 1024 - 1) };
  const reply = await send(edge.proxy, short, { expectContinue: true });
  t.match(reply, { status: 400, continued: false, headers: { 'x-keyd-reason': 'decoded-length-mismatch' } });
  t.equal(edge.upstream.requests.length, 1, 'one was whole');
});

t.test('which modes a service accepts is configured', async (t) => {
  const outcomes = async (service: string, modes?: string): Promise<Record<string, unknown>> => {
    const edge = await startEdge(t, { service, ...(modes !== undefined && { env: { KEYD_PAYLOAD_MODES: modes } }) });
    const messages = new Map<string, Message>([
      ['exact', signed({ method: 'PUT', service, body: SMALL })],
      ['body', signed({ method: 'PUT', service, body: SMALL, payload: { kind: 'body', sha256: sha256Hex(SMALL) } })],
      ['unsigned', signed({ method: 'PUT', service, body: SMALL, payload: { kind: 'unsigned' } })],
      ['events', signed({ method: 'PUT', service, body: SMALL, payload: { kind: 'streaming-events' } })],
    ]);
    for (const kind of MODES) messages.set(kind, await chunked({ kind, data: SMALL, service }));
    const accepted: Record<string, unknown> = {};
    for (const [name, message] of messages) accepted[name] = reasonOf(await send(edge.proxy, message)) ?? 'accepted';
    return accepted;
  };
  const no = 'payload-mode-refused';
  const streaming = Object.fromEntries(MODES.map((kind) => [kind, 'accepted']));
  const none = Object.fromEntries(MODES.map((kind) => [kind, no]));
  const hashed = { exact: 'accepted', body: 'accepted', unsigned: no, events: no };
  t.strictSame(await outcomes('s3'), { ...hashed, ...streaming });
  t.strictSame(await outcomes('execute-api'), { ...hashed, ...none });
  t.strictSame(await outcomes('execute-api', 'exact, streaming-signed'), {
    ...hashed,
    ...none,
    body: no,
    'streaming-signed': 'accepted',
  });
});

t.test('no mode in chunks is chosen by what is not signed', async (t) => {
  const edge = await startEdge(t);
  const framed = await chunked({ kind: 'streaming-unsigned-trailer', data: SMALL });
  const token = PAYLOAD_TOKENS['streaming-unsigned-trailer'];
  const added = framed.headers.filter(([name]) => /^(?:content-encoding|x-amz-(?:content|decoded|trailer))/.test(name));
  const exact = signed({ method: 'PUT', body: SMALL });
  t.equal(reasonOf(await send(edge.proxy, { ...exact, headers: [...exact.headers, ...added] })), 'duplicate-header');
  const replaced = exact.headers.map(
    ([name, value]) => [name, name === 'x-amz-content-sha256' ? token : value] as const,
  );
  t.equal(reasonOf(await send(edge.proxy, { ...exact, headers: replaced })), 'missing-decoded-length');
  const inQuery = presigned({ method: 'PUT', target: `/?X-Amz-Decoded-Content-Length=12`, body: framed.body });
  const asked = { ...inQuery, target: `${inQuery.target}&X-Amz-Content-Sha256=${token}` };
  t.equal(reasonOf(await send(edge.proxy, asked)), 'payload-mode-refused');
  t.equal(edge.upstream.wire, '');
});

t.test('what is revoked while a body comes is not served', async (t) => {
  let isRevoked = false;
  const guard = { objectionTo: () => (isRevoked ? ('scope-revoked' as const) : undefined) };
  const edge = await startEdge(t, { env: STREAMING, guard });
  const seen = watchBodies(edge);
  const message = await chunked({ kind: 'streaming-signed', data: LARGE });
  const [host, port] = edge.proxy.split(':');
  const socket = connect(Number(port), host ?? '');
  let answer = '';
  socket.on('data', (part) => (answer += part.toString('latin1')));
  socket.write(wireOf(message, [`content-length: ${message.body.length}`]));
  socket.write(message.body.subarray(0, 200_000));
  await until(() => (seen[0]?.body.length ?? 0) > 100_000);
  isRevoked = true;
  socket.write(message.body.subarray(200_000));
  await until(() => answer.includes('\r\n\r\n') && seen[0]?.end !== 'open');
  t.match(answer, /^HTTP\/1.1 403 .*x-keyd-reason: scope-revoked/s);
  t.ok((seen[0]?.body.length ?? 0) < LARGE.length);
  socket.destroy();
});

t.test("a client that leaves in the middle breaks the upstream's request off", async (t) => {
  const edge = await startEdge(t, { env: STREAMING });
  const seen = watchBodies(edge);
  const message = await chunked({ kind: 'streaming-unsigned-trailer', data: LARGE });
  const [host, port] = edge.proxy.split(':');
  const socket = connect(Number(port), host ?? '');
  await once(socket, 'connect');
  socket.write(wireOf(message, [`content-length: ${message.body.length}`]));
  socket.write(message.body.subarray(0, 200_000));
  await until(() => (seen[0]?.body.length ?? 0) > 100_000);
  socket.destroy();
  await until(() => seen[0]?.end !== 'open');
  t.equal(seen[0]?.end, 'broken');
});

t.test('a client that stalls in the middle is told so', async (t) => {
  const edge = await startEdge(t, { env: { ...STREAMING, KEYD_BODY_IDLE: '30s' } });
  const seen = watchBodies(edge);
  const message = await chunked({ kind: 'streaming-signed', data: LARGE });
  const [host, port] = edge.proxy.split(':');
  const socket = connect(Number(port), host ?? '');
  let answer = '';
  socket.on('data', (part) => (answer += part.toString('latin1')));
  socket.write(wireOf(message, [`content-length: ${message.body.length}`]));
  socket.write(message.body.subarray(0, 200_000));
  await until(() => (seen[0]?.body.length ?? 0) > 150_000);
  while (!socket.closed) await edge.clock.advance(1_000);
  t.match(answer, /^HTTP\/1.1 400 .*x-keyd-reason: request-timeout/s);
  await until(() => seen[0]?.end !== 'open');
  t.equal(seen[0]?.end, 'broken');
});

t.test('a connection serves on after a refused body', async (t) => {
  const edge = await startEdge(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const message = await chunked({ kind: 'streaming-signed', data: SMALL });
  for (let round = 0; round < 3; round += 1) {
    t.equal(reasonOf(await send(edge.proxy, withChangedByte(message, 90), { agent })), 'chunk-signature-mismatch');
    t.equal((await send(edge.proxy, message, { agent })).status, 200);
  }
});

t.test('a body of any size takes the memory of a chunk', async (t) => {
  const length = 256 * 1024 * 1024;
  let received = 0;
  const upstream = createServer((request, response) => {
    request.on('data', (part: Buffer) => (received += part.length)).on('end', () => response.end('served'));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.teardown(() => upstream.close());
  const address = upstream.address() as AddressInfo;
  const edge = await startEdge(t, { env: { KEYD_UPSTREAM: `http://127.0.0.1:${address.port}` } });
  const { uploadOf } = await import('./endless-upload.js');
  for (const kind of ['streaming-signed', 'streaming-unsigned-trailer'] as const) {
    received = 0;
    const { status, mostBytes } = await uploadOf(edge.proxy, kind, length);
    t.equal(status, 200, kind);
    t.equal(received, length);
    t.ok(
      mostBytes < length / 3,
      `${kind}: ${Math.round(mostBytes / 2 ** 20)} MiB of memory for ${length / 2 ** 20} MiB`,
    );
  }
});
