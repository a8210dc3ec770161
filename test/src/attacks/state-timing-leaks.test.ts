import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import {
  ACCESS_KEY_ID,
  NOW,
  SECRET,
  send,
  signed,
  wireOf,
  type Draft,
  type Message,
  type Reply,
} from '../edge-verifier/client.js';
import { checkAftermath, each, runAttacks, type Attack } from './attacks.js';
import { startFronts, type Front, type Fronts } from './fronts.js';
import { RawClient } from './raw-client.js';
import { addParameter, changeHeader, changePart, retarget, withHeader } from './tampering.js';
import { isHmac } from './vehicle.js';

const OTHER = { accessKeyId: 'AKIASECONDEDGETEST', secret: 'another-secret-that-stays-in-the-tests' };
const MINUTE = 60_000;

/** A request whose target and body name whose it is, so that whoever is given it can tell. */
function own(accessKeyId: string, index: number, draft: Draft = {}): Message {
  const secret = accessKeyId === ACCESS_KEY_ID ? SECRET : OTHER.secret;
  const body = `${accessKeyId} ${index} `.repeat(200);
  return signed({ method: 'PUT', target: `/${accessKeyId}/${index}`, body, accessKeyId, secret, ...draft });
}

/** What got behind the fronts, and as whose. */
function delivered({ edge, sites }: Fronts): readonly (readonly [accessKeyId: string, target: string, body: string])[] {
  const atUpstream = edge.upstream.requests.map(({ rawHeaders, target, body }) => {
    const at = rawHeaders.indexOf('x-keyd-access-key-id');
    return [rawHeaders[at + 1] ?? '', target, body.toString()] as const;
  });
  const inProcess = sites.flatMap(({ seen }) =>
    seen.map(({ accessKeyId, target, body }) => [accessKeyId, target, body.toString()] as const),
  );
  return [...atUpstream, ...inProcess];
}

async function startWithTwoKeys(t: Parameters<typeof startFronts>[0], env = {}): Promise<Fronts> {
  const fronts = await startFronts(t, { env, inProcess: { moreSecrets: { [OTHER.accessKeyId]: OTHER.secret } } });
  for (const { parent } of fronts.edges) parent.secrets.set(OTHER.accessKeyId, OTHER.secret);
  return fronts;
}

t.test('right and wrong requests race over the same few connections', async (t) => {
  const fronts = await startWithTwoKeys(t);
  for (const front of fronts.all.filter(({ tls }) => !tls)) {
    const agent = new Agent({ keepAlive: true, maxSockets: 3 });
    const racing = Array.from({ length: 60 }, async (_, index) => {
      const mine = own(ACCESS_KEY_ID, index);
      const theirs = own(OTHER.accessKeyId, index);
      const rows: readonly (readonly [message: Message, accessKeyId: string | undefined])[] = [
        [mine, ACCESS_KEY_ID],
        [theirs, OTHER.accessKeyId],
        [{ ...mine, body: theirs.body }, undefined],
        [{ ...theirs, headers: mine.headers }, undefined],
        [changePart(mine, 'Credential', (value) => value.replace(ACCESS_KEY_ID, OTHER.accessKeyId)), undefined],
        [changePart(mine, 'Signature', () => '0'.repeat(64)), undefined],
      ];
      const [message, accessKeyId] = rows[index % rows.length] ?? [mine, undefined];
      const reply = await send(front.address, front.carry(message), { agent });
      fronts.output.answered(reply);
      for (const honest of [mine, theirs]) fronts.output.expectSignaturesOf(honest);
      if (accessKeyId === undefined) return reply.status >= 400 ? [] : [`${index} was served`];
      const told = front.kind === 'forward-auth' ? reply.headers['x-keyd-access-key-id'] : accessKeyId;
      return reply.status < 300 && told === accessKeyId
        ? []
        : [`${index} was not served as ${accessKeyId}: ${reply.status}`];
    });
    t.strictSame((await Promise.all(racing)).flat(), [], front.name);
    agent.destroy();
  }
  const all = delivered(fronts);
  t.equal(all.length, 60, 'of the proxy and both applications, twenty each');
  for (const [accessKeyId, target, body] of all) {
    t.ok(target.startsWith(`/${accessKeyId}/`) && body.startsWith(`${accessKeyId} `), `${target} as ${accessKeyId}`);
  }
  await checkAftermath(t, fronts);
});

t.test('bodies that arrive byte by byte, by turns', async (t) => {
  const fronts = await startWithTwoKeys(t);
  for (const front of fronts.all.filter(({ kind }) => kind !== 'forward-auth')) {
    const before = delivered(fronts).length;
    const mine = own(ACCESS_KEY_ID, 1);
    const theirs = own(OTHER.accessKeyId, 2);
    const messages = [mine, { ...mine, body: theirs.body }, theirs, { ...theirs, body: mine.body }];
    const clients = messages.map((message) => ({ message, client: new RawClient(front) }));
    const head = ({ body, ...message }: Message): string =>
      wireOf({ ...message, body }, ['connection: close', `content-length: ${body.length}`]);
    for (const { client, message } of clients) await client.write(head(message));
    const length = Math.max(...messages.map(({ body }) => body.length));
    for (let at = 0; at < length; at += 500) {
      for (const { client, message } of clients) {
        await client.write(message.body.subarray(at, at + 500).toString('latin1'));
      }
    }
    const statuses = [];
    for (const { client } of clients) statuses.push(/^HTTP\/1.1 (\d\d\d)/.exec(await client.closed())?.[1]);
    t.strictSame(statuses, ['200', '400', '200', '400'], front.name);
    t.equal(delivered(fronts).length, before + 2, 'two got through');
  }
  for (const [accessKeyId, target, body] of delivered(fronts)) {
    t.ok(target.startsWith(`/${accessKeyId}/`) && body.startsWith(`${accessKeyId} `), `${target} as ${accessKeyId}`);
  }
});

t.test('one who leaves in the middle of a body leaves nothing behind', async (t) => {
  const fronts = await startWithTwoKeys(t, { KEYD_BODY_IN_MEMORY: '1KiB' });
  for (const front of fronts.all.filter(({ tls, kind }) => !tls && kind !== 'forward-auth')) {
    const before = front.behind();
    const [host = '', port] = front.address.split(':');
    const sockets: Socket[] = [];
    for (let index = 0; index < 10; index += 1) {
      const { body, ...message } = own(ACCESS_KEY_ID, index);
      const socket = connect(Number(port), host).on('error', () => undefined);
      sockets.push(socket);
      const wire =
        wireOf({ ...message, body }, [`content-length: ${body.length}`]) + body.toString().slice(0, -index - 1);
      await new Promise<void>((resolve) => socket.write(wire, () => resolve()));
    }
    for (const socket of sockets) socket.resetAndDestroy();
    const reply = await front.send(own(OTHER.accessKeyId, 1));
    t.equal(reply.status, 200, `${front.name}: who comes next is served`);
    const [last] = delivered(fronts).filter(([, target]) => !target.startsWith(`/${OTHER.accessKeyId}/`));
    t.equal(last, undefined, 'nothing of those who left arrived');
    t.ok(front.behind() > before);
  }
});

t.test('a request that is sent again: served while it is fresh, and then no more', async (t) => {
  let now = NOW;
  const fronts = await startFronts(t, { inProcess: { now: () => now } });
  const message = signed({ method: 'PUT', body: 'once, and again' });
  for (const front of fronts.all) {
    for (let count = 0; count < 2; count += 1) t.ok((await front.send(message)).status < 300, `${front.name}: fresh`);
  }
  now += 16 * MINUTE;
  for (const { clock } of fronts.edges) await clock.advance(16 * MINUTE);
  for (const front of fronts.all) {
    t.equal((await front.send(message)).headers['x-keyd-reason'], 'request-too-old', front.name);
  }
});

t.test('a wrong signature is answered the same, however much of it is right', async (t) => {
  const fronts = await startFronts(t);
  const honest = signed();
  const told = ({ status, headers, body }: Reply): unknown => {
    const id = String(headers['x-amz-request-id']);
    const others = Object.entries(headers).filter(([name]) => name !== 'date' && name !== 'x-amz-request-id');
    return { status, headers: others, body: body.replaceAll(id, 'ID') };
  };
  for (const front of fronts.all) {
    const answers = [];
    for (const at of [0, 1, 31, 62, 63]) {
      const wrong = changePart(honest, 'Signature', (value) => {
        const digit = value[at] === 'a' ? 'b' : 'a';
        return value.slice(0, at) + digit + value.slice(at + 1);
      });
      answers.push(told(await front.send(wrong)));
    }
    for (const answer of answers) t.strictSame(answer, answers[0], front.name);
  }
});

const WRONG: readonly Attack[] = [
  {
    name: 'a wrong signature',
    signed: isHmac,
    reasons: ['signature-mismatch'],
    make: (honest) => changePart(honest, 'Signature', () => '0'.repeat(64)),
  },
  ...each(['/bucket/other', '/bucket/key%20', '//bucket/key'], (path) => ({
    name: `the path ${path}`,
    reasons: ['signature-mismatch'],
    make: (honest) => retarget(honest, (target) => target.replace('/bucket/key', path)),
  })),
  {
    name: 'one parameter more',
    reasons: ['signature-mismatch'],
    make: (honest) => addParameter(honest, 'more=1'),
  },
  {
    name: 'headers with what nobody may see in them',
    honest: {
      headers: [
        ['cookie', 'sid=1234'],
        ['x-amz-server-side-encryption-customer-key', 'a2V5'],
      ],
    },
    reasons: ['signature-mismatch'],
    make: (honest) => changeHeader(withHeader(honest, 'accept', '*/*'), 'cookie', () => 'sid=12345'),
  },
];

t.test('with the debug switch, which shows what was signed', async (t) => {
  const fronts = await startFronts(t, {
    env: { KEYD_DEBUG_SIGNATURES: 'yes' },
    inProcess: { debugSignatures: true },
  });
  await runAttacks(t, fronts, WRONG);
  for (const front of fronts.all) {
    const { body } = await front.send(changePart(signed(), 'Signature', () => '0'.repeat(64)));
    t.match(body, 'StringToSign', `${front.name} shows it`);
  }
  await checkAftermath(t, fronts);
});

t.test('when things fail', async (t) => {
  const fronts = await startFronts(t);
  const { edge, edges, all, output } = fronts;
  const reasonAt = async (front: Front, message: Message): Promise<unknown> => {
    output.expectSignaturesOf(message);
    return (await front.send(message)).headers['x-keyd-reason'];
  };
  for (const { parent } of edges) parent.isDown = true;
  for (const front of all.filter(({ kind }) => kind !== 'in-process')) {
    t.equal(await reasonAt(front, signed()), 'keys-unavailable', `${front.name}: no keys to be had`);
  }
  for (const { parent, clock } of edges) {
    parent.isDown = false;
    await clock.advance(10_000);
  }
  const proxies = all.filter(({ kind }) => kind === 'proxy');
  edge.upstream.answer = (_request, response) => response.destroy();
  for (const front of proxies) t.equal(await reasonAt(front, signed()), 'upstream-failed', front.name);
  edge.upstream.answer = (_request, response) => response.end('served');
  for (let index = 0; index < 20; index += 1) {
    output.expectSignaturesOf(own(ACCESS_KEY_ID, index));
    for (const front of all) await front.send(own(ACCESS_KEY_ID, index, { secret: 'wrong' }));
  }
  await checkAftermath(t, fronts);
});
