import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { FrontServer, type Arrival } from '@sigv4-keyd/edge-verifier';
import { createLogger } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';

const REQUEST = 'GET /one HTTP/1.1\r\nhost: a\r\n\r\n';
const UNREADABLE = 'this is no request\r\n\r\n';

interface Served {
  readonly front: FrontServer;
  readonly port: number;
  /** Every request that came, to be answered by the test. */
  readonly arrivals: Arrival[];
  readonly arrived: (count: number) => Promise<void>;
  readonly unreadable: string[];
}

async function serve(t: Test, onArrival?: (arrival: Arrival) => Promise<void> | void): Promise<Served> {
  const arrivals: Arrival[] = [];
  const unreadable: string[] = [];
  const waiting = new Set<() => void>();
  const front = new FrontServer({
    log: createLogger({ service: 'test', level: 'silent' }),
    serve: (arrival) => {
      arrivals.push(arrival);
      for (const look of waiting) look();
      return onArrival?.(arrival);
    },
    answerUnreadable: ({ reason }) => {
      unreadable.push(reason);
      return { status: 400, code: reason, headers: [], body: Buffer.from('not read') };
    },
  });
  await front.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => front.close());
  const [address] = front.addresses();
  if (typeof address !== 'object') throw new TypeError('it listens on a port');
  const arrived = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (arrivals.length < count) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { front, port: address.port, arrivals, arrived, unreadable };
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

function answer({ response, target }: Arrival): void {
  response.writeHead(200, ['content-length', String(target.length)]).end(target);
}

t.test('closing lets what is under way be answered, and ends each connection with its answer', async (t) => {
  const { front, port, arrivals, arrived } = await serve(t);
  const [idle, busy, late] = [await connected(port), await connected(port), await connected(port)];
  busy.write(REQUEST);
  late.write(REQUEST);
  await arrived(2);
  const closed = front.close();
  late.write(REQUEST.replace('one', 'two'));
  t.equal(await text(idle), '', 'a connection that waits for a next request is ended');
  await arrived(3);
  for (const arrival of arrivals) answer(arrival);
  t.match(await text(busy), /^HTTP\/1\.1 200 OK\r\n[^]*\/one$/);
  t.match(await text(late), /^HTTP\/1\.1 200 OK\r\n[^]*\/one[^]*\/two$/, 'and so is what came behind it');
  await closed;
  t.equal(front.server.listening, false);
  await t.rejects(connected(port), { code: 'ECONNREFUSED' });
  await front.close();
});

t.test('nothing is said between the answers of a client that does not wait for them', async (t) => {
  const { port, arrivals, arrived, unreadable } = await serve(t);
  const client = await connected(port);
  client.write(REQUEST + REQUEST.replace('one', 'two'));
  await arrived(2);
  const [one, two] = arrivals;
  if (!one || !two) throw new Error('two requests were sent');
  const isOut = once(one.response, 'close');
  answer(one);
  await isOut;
  // The second one is unanswered still: an answer to the bytes behind it would be taken for its own.
  client.write(UNREADABLE);
  const said = await text(client);
  t.match(said, /^HTTP\/1\.1 200 OK\r\n[^]*\/one$/);
  t.notMatch(said, '400');
  t.same(unreadable, []);
});

t.test('what cannot be read is answered where no answer is under way', async (t) => {
  const { port, unreadable } = await serve(t, answer);
  const client = await connected(port);
  const said = text(client);
  client.write(UNREADABLE);
  t.match(await said, /^HTTP\/1\.1 400 Bad Request\r\n[^]*not read$/);
  t.same(unreadable, ['malformed-http']);
});

t.test('a failure ends the connection of its request alone', async (t) => {
  const fail = (): never => {
    throw new Error('no answer comes of it');
  };
  const failures: Readonly<Record<string, (arrival: Arrival) => Promise<void> | void>> = {
    'at once': fail,
    'with its promise': () => Promise.reject(new Error('no answer comes of it')),
    'in what is left to do, once the lines of the turn are written': ({ attempt }) =>
      void setImmediate(() => attempt(fail)),
  };
  let failure: (arrival: Arrival) => Promise<void> | void = fail;
  const { port } = await serve(t, (arrival) => (arrival.target === '/one' ? failure(arrival) : answer(arrival)));
  const other = await connected(port);
  for (const [when, failing] of Object.entries(failures)) {
    failure = failing;
    const client = await connected(port);
    client.write(REQUEST);
    t.equal(await text(client), '', when);
  }
  other.end(REQUEST.replace('one', 'two'));
  t.match(await text(other), /^HTTP\/1\.1 200 OK\r\n[^]*\/two$/);
});
