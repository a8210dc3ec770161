import { once } from 'node:events';
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { send, signed, wireOf, type Message, type Reply } from './client.js';
import { startEdge, type EdgeUnderTest } from './edge-under-test.js';

const UNSIGNED = { KEYD_PAYLOAD_MODES: 'exact,body,unsigned' };
const PART = Buffer.alloc(64 * 1024, 'a part of an answer, ');
/** Far beyond what the buffers of two connections hold. */
const PARTS = 1_024;

/** Turns of the event loop in which all that can go on goes on: the edge and its upstream live in this process. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

/** Counts the connections that it had to make. */
class CountingAgent extends Agent {
  made = 0;

  constructor(t: Test) {
    super({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => this.destroy());
  }

  override createConnection(...options: Parameters<Agent['createConnection']>): ReturnType<Agent['createConnection']> {
    this.made += 1;
    return super.createConnection(...options);
  }
}

/** A client that reads when it is told to. */
async function open(
  t: Test,
  { proxy }: EdgeUnderTest,
): Promise<{ readonly socket: Socket; readonly heard: () => string }> {
  const [host, port] = proxy.split(':');
  const socket = connect(Number(port), host ?? '');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  return { socket, heard: () => answer };
}

/** Answers as much as is taken, and tells how much that was. */
function endlessAnswer(response: ServerResponse): { readonly taken: () => number } {
  let taken = 0;
  const more = (): void => {
    while (taken < PARTS) {
      taken += 1;
      if (!response.write(PART)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  response.writeHead(200, { 'content-length': PARTS * PART.length });
  more();
  return { taken: () => taken };
}

/** A PUT whose body goes on as it comes, of which only the head was sent. */
function uploadHead(length: number): { readonly message: Message; readonly wire: string } {
  const message = signed({ method: 'PUT', target: '/k', body: Buffer.alloc(length), payload: { kind: 'unsigned' } });
  return { message, wire: wireOf(message, [`content-length: ${length}`]) };
}

async function isServedStill(t: Test, { proxy }: EdgeUnderTest, agent?: Agent): Promise<void> {
  t.equal((await send(proxy, signed(), agent && { agent })).status, 200, 'the next request is served');
}

t.test('a client that does not read holds the upstream back, and gets all once it reads', async (t) => {
  const edge = await startEdge(t);
  let taken = (): number => 0;
  edge.upstream.answer = (_request, response) => ({ taken } = endlessAnswer(response));
  const { socket, heard } = await open(t, edge);
  socket.pause();
  let length = 0;
  socket.removeAllListeners('data').on('data', (chunk: Buffer) => (length += chunk.length));
  socket.pause();
  socket.write(wireOf(signed()));
  await until(() => taken() > 0);
  await turns(3_000);
  t.ok(taken() < PARTS / 2, `the upstream was made to wait (${taken()} of ${PARTS} parts)`);
  socket.resume();
  await until(() => length > PARTS * PART.length);
  t.equal(heard(), '');
  await isServedStill(t, { ...edge, upstream: answering(edge) });
});

/** The same edge, with its upstream answering briefly again. */
function answering(edge: EdgeUnderTest): EdgeUnderTest['upstream'] {
  edge.upstream.answer = (_request, response) => response.end('served');
  edge.upstream.early = undefined;
  return edge.upstream;
}

t.test('a client that leaves takes its request to the upstream along', async (t) => {
  const edge = await startEdge(t);
  const cases = {
    'before the answer': { begin: () => undefined, reads: true, hears: '' },
    'with the head alone': {
      begin: (response: ServerResponse) => response.writeHead(200, { 'content-length': 100 }).flushHeaders(),
      reads: true,
      hears: 'HTTP/1.1 200 ',
    },
    'in mid-answer, which it does not read': { begin: endlessAnswer, reads: false, hears: '' },
  };
  for (const [name, { begin, reads, hears }] of Object.entries(cases)) {
    let answered: ServerResponse | undefined;
    edge.upstream.answer = (_request, response) => {
      answered = response;
      begin(response);
    };
    const { socket, heard } = await open(t, edge);
    if (!reads) socket.pause();
    socket.write(wireOf(signed()));
    await until(() => answered !== undefined && heard().startsWith(hears));
    await turns(50);
    socket.destroy();
    await until(() => answered?.closed === true);
    t.notOk(answered?.writableFinished, name);
    answering(edge);
    await isServedStill(t, edge);
  }
});

t.test('an upstream that leaves in mid-answer: the client sees that it is not whole', async (t) => {
  const edge = await startEdge(t);
  for (const headers of [{ 'content-length': 1_000_000 }, {}]) {
    edge.upstream.answer = (_request, response) => {
      response.writeHead(200, headers);
      response.write(PART, () => response.destroy());
    };
    const { socket, heard } = await open(t, edge);
    socket.write(wireOf(signed()));
    await once(socket, 'close');
    t.match(heard(), /^HTTP\/1.1 200 /);
    t.notMatch(heard(), /\r\n0\r\n/, 'the end is not made up');
    answering(edge);
    await isServedStill(t, edge);
  }
});

t.test('an upstream that ends a kept connection instead of answering is not asked twice', async (t) => {
  const edge = await startEdge(t);
  const agent = new CountingAgent(t);
  for (const method of ['GET', 'PUT', 'POST']) {
    await isServedStill(t, edge, agent);
    let asked = 0;
    edge.upstream.early = (request) => {
      asked += 1;
      request.socket.destroy();
    };
    const reply = await send(edge.proxy, signed({ method, body: method === 'GET' ? '' : 'once' }), { agent });
    t.match(reply, { status: 502, headers: { 'x-keyd-reason': 'upstream-failed' } }, method);
    await turns(100);
    t.equal(asked, 1, `${method} was sent once`);
    answering(edge);
  }
  t.equal(agent.made, 1, 'all over one connection of the client');
});

/** Sends a body byte by byte until it is answered; how many were sent. An edge keeps the last part that came. */
async function dripUntilAnswered(socket: Socket, body: Buffer, heard: () => string): Promise<number> {
  let sent = 0;
  while (!heard().includes('no need')) {
    socket.write(body.subarray(sent, (sent += 1)));
    await turns(5);
  }
  return sent;
}

t.test('an answer before the body, which is short: what still comes is dropped, and the connection kept', async (t) => {
  const edge = await startEdge(t, { env: UNSIGNED });
  edge.upstream.early = (_request, response) => response.writeHead(409).end('no need');
  const { socket, heard } = await open(t, edge);
  const { message, wire } = uploadHead(60_000);
  socket.write(wire);
  const sent = await dripUntilAnswered(socket, message.body, heard);
  t.ok(sent < 60_000, 'the body has not come');
  t.match(heard(), /^HTTP\/1.1 409 /);
  t.notMatch(heard(), /connection: close/i);
  answering(edge);
  for (let at = sent; at < message.body.length; at += 5_000) {
    socket.write(message.body.subarray(at, at + 5_000));
    await turns(20);
  }
  socket.write(wireOf(signed()));
  await until(() => heard().includes('served'));
  t.equal(edge.upstream.requests.length, 1, 'the next request is served');
});

t.test('an answer before the body, which is long: the client gets it, and is let go after a while', async (t) => {
  const edge = await startEdge(t, { env: UNSIGNED });
  edge.upstream.early = (_request, response) => response.writeHead(409).end('no need');
  const { socket, heard } = await open(t, edge);
  const { message, wire } = uploadHead(32 * 1024 * 1024);
  socket.write(wire);
  const sent = await dripUntilAnswered(socket, message.body, heard);
  t.match(heard(), /^HTTP\/1.1 409 .*connection: close/is);
  socket.write(message.body.subarray(sent, 8 * 1024 * 1024));
  await until(() => socket.writableLength === 0);
  await turns(100);
  t.notOk(socket.readableEnded, 'the client may go on sending');
  while (!socket.closed) {
    await edge.clock.advance(500);
    await turns(1);
  }
  answering(edge);
  await isServedStill(t, edge);
});

t.test('one connection carries answers of every kind, one after the other', async (t) => {
  const edge = await startEdge(t);
  const agent = new CountingAgent(t);
  const ask = (draft = {}): Promise<Reply> => send(edge.proxy, signed(draft), { agent });
  const answers: [string, (response: ServerResponse, request: IncomingMessage) => void, Partial<Reply>][] = [
    ['an empty one', (response) => response.writeHead(200, { 'content-length': 0 }).end(), { status: 200, body: '' }],
    ['204', (response) => response.writeHead(204).end(), { status: 204, body: '' }],
    ['304', (response) => response.writeHead(304, { etag: '"x"' }).end(), { status: 304, body: '' }],
    [
      'one that is announced',
      (response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload' });
        response.writeProcessing();
        response.end('after 103 and 102');
      },
      { status: 200, body: 'after 103 and 102' },
    ],
    [
      'one in parts, with trailers',
      (response) => {
        response.writeHead(200, { trailer: 'x-checksum' });
        response.write('in ');
        response.write('parts');
        response.addTrailers({ 'x-checksum': 'of the parts' });
        response.end();
      },
      { status: 200, body: 'in parts' },
    ],
    [
      'a long one',
      (response) => response.end(Buffer.alloc(1_000_000, 'l')),
      { status: 200, body: 'l'.repeat(1_000_000) },
    ],
  ];
  for (const [name, answer, expected] of answers) {
    edge.upstream.answer = (request, response) => answer(response, request);
    const reply = await ask();
    t.match({ status: reply.status, body: reply.body }, expected, name);
    t.notOk('trailer' in reply.headers, 'trailers end at the edge');
  }
  edge.upstream.answer = (_request, response) => response.writeHead(200, { 'content-length': 1_234 }).end();
  t.match(await ask({ method: 'HEAD' }), { status: 200, body: '', headers: { 'content-length': '1234' } }, 'HEAD');
  answering(edge);
  t.match(await ask({ method: 'PUT', body: 'a body' }), { status: 200, body: 'served' });
  t.equal(agent.made, 1, 'all over one connection');
});

t.test('answers that no client was to get: another protocol, a reason that is no text', async (t) => {
  const answers = {
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n': { status: 502 },
    'HTTP/1.1 100 Continue\r\n\r\n': { status: 502 },
    'HTTP/1.1 200 caf\u00e9\r\ncontent-length: 2\r\n\r\nok': { status: 200, statusText: '', body: 'ok' },
  };
  for (const [wire, expected] of Object.entries(answers)) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(Buffer.from(wire, 'latin1')));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { proxy } = await startEdge(t, { env: { KEYD_UPSTREAM: url } });
    t.match(await send(proxy, signed()), expected, JSON.stringify(wire.slice(0, 30)));
  }
});
