import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { apiFileOf } from '../docs/api-files.js';
import { presigned, send, signed, type Message, type Reply } from '../edge-verifier/client.js';
import { startEdge } from '../edge-verifier/edge-under-test.js';
import { ORIGINS, question } from '../edge-verifier/question.js';
import { reasonsOf, type FrontName } from './fronts.js';

t.setTimeout(120_000);

interface FrontAnswer {
  readonly headers?: Readonly<Record<string, { readonly schema: { readonly enum?: readonly string[] } }>>;
  readonly content?: Readonly<Record<string, { readonly schema: Parameters<typeof z.fromJSONSchema>[0] }>>;
}

function answersOf(front: FrontName, method: string): Readonly<Record<string, FrontAnswer>> {
  const document = JSON.parse(readFileSync(apiFileOf(`edge-verifier-${front}`), 'utf8')) as {
    readonly paths: Readonly<
      Record<string, Readonly<Record<string, { readonly responses: Record<string, FrontAnswer> }>>>
    >;
  };
  const operation = document.paths['/{target}']?.[method.toLowerCase()];
  if (!operation) throw new Error(`${front} is not said to take ${method}`);
  return operation.responses;
}

/** Whether a front answered as its document says. Returns the reason of a refusal. */
function conforms(t: Test, front: FrontName, method: string, reply: Reply): string | undefined {
  const { status, headers, body } = reply;
  const reason = headers['x-keyd-reason'];
  const said = answersOf(front, method)[reason === undefined && front === 'proxy' ? 'default' : String(status)];
  if (!said) {
    t.fail(`${front} answers ${status}, which is not written down`);
    return undefined;
  }
  const own = Object.keys(headers).filter((name) => /^x-(?:keyd|amzn?)-/.test(name) && name !== 'x-amz-request-id');
  t.strictSame(
    own.filter((name) => !(name in (said.headers ?? {}))),
    [],
    `${front} ${status}: every header is written down`,
  );
  if (reason === undefined) return undefined;
  t.ok(said.headers?.['x-keyd-reason']?.schema.enum?.includes(String(reason)), `${status} ${String(reason)}`);
  const type = String(headers['content-type']);
  const schema = said.content?.[type]?.schema;
  t.ok(schema, `${type} is written down`);
  if (type === 'application/json' && schema && body !== '') {
    const { success, error } = z.fromJSONSchema(schema).safeParse(JSON.parse(body));
    if (!success) t.fail(z.prettifyError(error));
  }
  return String(reason);
}

const BAD: Readonly<Record<string, Message>> = {
  'signature-mismatch': signed({ secret: 'another secret' }),
  'access-key-unknown': signed({ accessKeyId: 'AKIANOBODY' }),
  'missing-authentication': {
    method: 'GET',
    target: '/',
    headers: [['host', 'files.example.com']],
    body: Buffer.alloc(0),
  },
  'request-too-old': signed({ now: Date.parse('2026-11-22T08:00:00Z') }),
  'wrong-region': signed({ region: 'us-east-1' }),
};

t.test('the fronts of a running edge answer as is written down', async (t) => {
  const heard = new Set<string | undefined>();
  for (const shape of ['s3', 'json', 'query']) {
    const edge = await startEdge(t, { env: { KEYD_ANSWER_SHAPE: shape } });
    for (const message of [signed(), signed({ method: 'PUT', body: 'a body' }), presigned()]) {
      const reply = await send(edge.proxy, message);
      t.equal(reply.status, 200);
      conforms(t, 'proxy', message.method, reply);
    }
    for (const message of Object.values(BAD))
      heard.add(conforms(t, 'proxy', message.method, await send(edge.proxy, message)));
    await edge.upstream.close();
    heard.add(conforms(t, 'proxy', 'GET', await send(edge.proxy, signed())));
  }
  for (const origin of ORIGINS) {
    const edge = await startEdge(t, { env: { KEYD_FORWARD_AUTH_FROM: origin, KEYD_ANSWER_SHAPE: 'json' } });
    const asked = async (message: Message): Promise<Reply> => {
      const reply = await send(edge.forwardAuth, message);
      heard.add(conforms(t, 'forward-auth', message.method, reply));
      return reply;
    };
    t.equal((await asked(question(signed(), origin))).status, 204);
    for (const message of Object.values(BAD)) await asked(question(message, origin));
    await asked(signed({ unsigned: [['x-keyd-region', 'anywhere']] }));
    if (origin !== 'request-line') await asked(signed());
    await asked(question(signed({ method: 'PUT', body: 'a body' }), origin, [['x-original-content-length', '6']]));
  }
  for (const reason of Object.keys(BAD)) t.ok(heard.has(reason), `${reason} was heard`);
  for (const reason of ['upstream-unreachable', 'reserved-header', 'missing-original-request', 'body-not-seen']) {
    t.ok(heard.has(reason), `${reason} was heard`);
  }
});

t.test('every reason of a front is written down, with one status at least', (t) => {
  for (const front of ['proxy', 'forward-auth'] as const) {
    const told = Object.values(answersOf(front, 'GET')).flatMap(
      ({ headers }) => headers?.['x-keyd-reason']?.schema.enum ?? [],
    );
    t.strictSame([...new Set(told)].sort(), [...reasonsOf(front)].sort(), front);
  }
  t.end();
});
