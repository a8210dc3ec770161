import { EMPTY_BODY_SHA256 } from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import { ACCESS_KEY_ID, HOST, presigned, signed, type Message, type Reply } from '../edge-verifier/client.js';
import type { FrontUnderTest } from './front-under-test.js';

/** What differs between fronts. */
export interface FrontTraits {
  /** Whether refusals keep their own HTTP status; otherwise each is a 403. */
  readonly keepsStatus: boolean;
  /** Whether the edge's own error document reaches the client. */
  readonly keepsBody: boolean;
  /** At most so many connections to the edge for twenty requests one after the other. */
  readonly mostConnections: number;
}

/** Targets that some programs rewrite: the application gets what was signed, or nothing. */
const ODD_TARGETS = [
  '/bucket/a%2Fb//c/../%C3%BC?x=1&y=%2B',
  '/bucket/with%20space+plus%2Bplus',
  '/bucket//double///slashes',
  '/bucket/./dot/../dots',
  '/bucket/%2e%2e/encoded-dots',
  '/bucket/%2E%2E%2Fboth',
  '/bucket/unreserved-%41%7E~',
  '/bucket/semicolon;and=equals&amp',
  '/bucket/%F0%9F%94%91?prefix=%C3%A9&delimiter=%2F&list-type=2',
  '/bucket/?a=&b&c=%20',
  '/bucket/question?x=?y',
  `/bucket/${'long/'.repeat(300)}`,
] as const;

type Told = readonly (readonly [string, string])[];

function withHeaders(message: Message, more: Told): Message {
  return { ...message, headers: [...message.headers, ...more] };
}

/** What every front must do, whatever it is. */
export async function checkFront(t: Test, front: FrontUnderTest, traits: FrontTraits): Promise<void> {
  const { served, edge } = front;
  /** The answer, and what reached the application for it. */
  const outcome = async (message: Message, chunked = false): Promise<Reply & { readonly reached: number }> => {
    const before = served.length;
    const reply = await front.ask(message, { chunked });
    return { ...reply, reached: served.length - before };
  };

  await t.test('a verified request reaches the application as it was signed, and says who it is', async (t) => {
    const reply = await outcome(signed({ target: '/bucket/key?x=1' }));
    t.match(reply, { status: 200, body: 'served', reached: 1 });
    t.match(served.at(-1), {
      method: 'GET',
      target: '/bucket/key?x=1',
      headers: {
        'x-keyd-access-key-id': ACCESS_KEY_ID,
        'x-keyd-region': 'eu-west-1',
        'x-keyd-service': 's3',
        'x-keyd-scope-date': '20261122',
        'x-keyd-signed-at': '2026-11-22T10:00:00.000Z',
        'x-keyd-mechanism': 'header',
        'x-keyd-payload-sha256': EMPTY_BODY_SHA256,
        'x-keyd-request-id': /^[0-9a-f-]{36}$/,
      },
    });
    t.notOk(served.at(-1)?.headers.authorization, 'the signature stays at the front');
    t.match(await outcome(presigned({ target: '/bucket/key' })), { status: 200, reached: 1 }, 'presigned too');
    t.match(await outcome(signed({ method: 'HEAD', target: '/bucket/key' })), { status: 200, reached: 1 }, 'HEAD too');
    t.match(await outcome(signed({ method: 'DELETE', target: '/bucket/key' })), { status: 200, reached: 1 });
  });

  await t.test('what was verified is what is served: odd targets arrive as signed, or not at all', async (t) => {
    const carried: string[] = [];
    for (const target of ODD_TARGETS) {
      const { reached } = await outcome(signed({ target }));
      if (reached > 0) t.equal(served.at(-1)?.target, target);
      if (reached > 0) carried.push(target);
    }
    t.same(carried, ODD_TARGETS, 'this front carries them all');
  });

  await t.test('others do not, and hear why', async (t) => {
    const refusals: readonly (readonly [string, number, string, Message])[] = [
      ['missing-authentication', 403, 'AccessDenied', { ...signed(), headers: [['host', HOST]] }],
      ['signature-mismatch', 403, 'SignatureDoesNotMatch', { ...signed(), target: '/bucket/other' }],
      ['signature-mismatch', 403, 'SignatureDoesNotMatch', { ...signed(), method: 'DELETE' }],
      ['signature-mismatch', 403, 'SignatureDoesNotMatch', signed({ secret: 'wrong' })],
      ['wrong-region', 400, 'AuthorizationHeaderMalformed', signed({ region: 'us-east-1' })],
      ['request-too-old', 403, 'RequestTimeTooSkewed', signed({ now: edge.clock.now() - 16 * 60_000 })],
      ['host-not-served', 403, 'AccessDenied', signed({ host: 'elsewhere.example' })],
      ['access-key-unknown', 403, 'InvalidAccessKeyId', signed({ accessKeyId: 'AKIANOBODYHASTHIS' })],
    ];
    for (const [reason, status, code, message] of refusals) {
      const reply = await outcome(message);
      t.match(reply, { headers: { 'x-keyd-reason': reason }, reached: 0 }, reason);
      t.equal(reply.status, traits.keepsStatus ? status : 403, reason);
      t.match(reply.body, `<Code>${code}</Code>`, 'AWS clients know what to do');
      if (traits.keepsBody) t.match(reply.body, '<RequestId>', 'the very document of the edge');
    }
  });

  await t.test('what a client says of itself is not believed', async (t) => {
    const lies = [
      ['X-Original-Method', 'GET'],
      ['X-Original-URI', '/'],
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Uri', '/'],
      ['X-Forwarded-Host', HOST],
    ] as const;
    const other = withHeaders({ ...signed(), method: 'DELETE', target: '/bucket/other' }, lies);
    t.match(await outcome(other), { status: 403, headers: { 'x-keyd-reason': 'signature-mismatch' }, reached: 0 });
    const elsewhere = withHeaders(signed({ host: 'elsewhere.example' }), lies);
    t.match(await outcome(elsewhere), { status: 403, headers: { 'x-keyd-reason': 'host-not-served' }, reached: 0 });
    for (const name of ['x-keyd-access-key-id', 'x-keyd-anything', 'X-KEYD-Region']) {
      const { reached } = await outcome(withHeaders(signed(), [[name, 'AKIASOMEBODYELSE']]));
      t.equal(reached, 0, `${name}: refused`);
    }
    await outcome(withHeaders(signed(), [['x_keyd_access_key_id', 'AKIASOMEBODYELSE']]));
    t.notMatch(JSON.stringify(served), 'AKIASOMEBODYELSE', 'in no spelling');
  });

  await t.test('a body that nobody verified never arrives', async (t) => {
    const body = Buffer.from('a body');
    const unsigned = { ...signed({ method: 'PUT' }), body };
    const bodies: Readonly<Record<string, Message>> = {
      'with its hash': signed({ method: 'PUT', body }),
      'where none was signed': unsigned,
      'of a GET': { ...signed(), body },
      'not stated': signed({ method: 'POST', body, payload: { kind: 'body', sha256: EMPTY_BODY_SHA256 } }),
      unsigned: signed({ method: 'PUT', body, payload: { kind: 'unsigned' } }),
    };
    for (const [name, message] of Object.entries(bodies)) {
      for (const chunked of [false, true]) {
        const before = served.length;
        const { status } = await outcome(message, chunked);
        t.same(
          served.slice(before).filter((one) => one.body !== ''),
          [],
          `${name}${chunked ? ', in chunks' : ''}`,
        );
        t.ok(status >= 400 || served.length > before, 'refused, or the request without it');
      }
    }
    const empty = withHeaders(signed({ method: 'PUT' }), [['content-length', '0']]);
    t.match(await outcome(empty), { status: 200, reached: 1 }, 'without a body it is served');
  });

  await t.test('the front keeps its connections to the edge', async (t) => {
    const before = front.connections();
    for (let count = 0; count < 20; count += 1) await outcome(signed());
    t.ok(front.connections() - before <= traits.mostConnections, `${front.connections() - before} for twenty requests`);
  });

  await t.test('without an edge nothing is served', async (t) => {
    edge.parent.isDown = true;
    const unheld = await outcome(signed({ accessKeyId: 'AKIANOTHELDATALL' }));
    t.ok(unheld.status >= 500, 'an outage is no refusal');
    t.equal(unheld.reached, 0);
    await front.cutEdge();
    const { status, reached } = await outcome(signed());
    t.ok(status >= 500);
    t.equal(reached, 0, 'closed');
  });
}
