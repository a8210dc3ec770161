import { request as httpRequest } from 'node:http';
import type { FeedObjection, GuardedScope, ScopeGuard } from '@sigv4-keyd/edge-keys';
import { configuration } from '@sigv4-keyd/edge-verifier';
import { ConfigurationError, readConfiguration } from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { ACCESS_KEY_ID, HOST, send, signed } from '../edge-verifier/client.js';
import { environmentOf, startEdge } from '../edge-verifier/edge-under-test.js';
import { day } from '../support/days.js';

/** Says what a test wants, and remembers what it was asked. */
class SwitchedGuard implements ScopeGuard {
  objection: FeedObjection | undefined;
  readonly asked: GuardedScope[] = [];
  /** Called at each question, counted from 1. */
  onAsked: (time: number) => void = () => undefined;

  objectionTo(scope: GuardedScope): FeedObjection | undefined {
    this.asked.push(scope);
    this.onAsked(this.asked.length);
    return this.objection;
  }
}

const CODES = { 'scope-revoked': [403, 'AccessDenied'], 'feed-stale': [503, 'ServiceUnavailable'] } as const;

t.test('the guard comes before any key: nothing is asked for what is denied', async (t) => {
  const guard = new SwitchedGuard();
  const { proxy, parent, upstream } = await startEdge(t, { guard });
  for (const objection of ['scope-revoked', 'feed-stale'] as const) {
    guard.objection = objection;
    const [status, code] = CODES[objection];
    const reply = await send(proxy, signed());
    t.match(reply, { status, headers: { 'x-keyd-reason': objection }, body: new RegExp(`<Code>${code}</Code>`) });
    t.notMatch(reply.body, /INC-|incident/i, 'the public text tells of no incident');
  }
  t.equal(parent.requests.length, 0);
  t.equal(upstream.requests.length, 0);
  t.same(guard.asked[0], { accessKeyId: ACCESS_KEY_ID, date: day('20261122'), facts: undefined });
  guard.objection = undefined;
  t.equal((await send(proxy, signed())).status, 200);
  t.equal(guard.asked.at(-1)?.facts?.createdAt, 0, 'asked again with what is known of the access key');
});

t.test('a key that came after its statement is not used: it is judged when it is there', async (t) => {
  const guard = new SwitchedGuard();
  const { proxy, forwardAuth, upstream } = await startEdge(t, { guard });
  guard.onAsked = (time) => (guard.objection = time >= 2 ? 'scope-revoked' : undefined);
  const reply = await send(proxy, signed({ method: 'PUT', body: 'a body' }), { expectContinue: true });
  t.equal(reply.headers['x-keyd-reason'], 'scope-revoked');
  t.notOk(reply.continued, 'before anything is verified with it, or a body taken');
  guard.asked.length = 0;
  const question = [
    ['x-original-method', 'GET'],
    ['x-original-uri', '/'],
  ] as const;
  const asked = signed({ unsigned: question });
  t.equal((await send(forwardAuth, asked)).headers['x-keyd-reason'], 'scope-revoked');
  t.equal(upstream.requests.length, 0);
});

for (const payload of [undefined, { kind: 'unsigned' }] as const) {
  const kind = payload?.kind ?? 'signed';
  t.test(`what is revoked while its ${kind} body comes is not accepted any more`, async (t) => {
    const guard = new SwitchedGuard();
    const { proxy, upstream, log } = await startEdge(t, { guard, env: { KEYD_PAYLOAD_MODES: 'exact,body,unsigned' } });
    const draft = { method: 'PUT', target: '/slow', body: 'a body in two parts' };
    const message = signed({ ...draft, ...(payload && { payload }) });
    const [host, port] = proxy.split(':');
    const headers = [...message.headers, ['host', HOST], ['content-length', String(message.body.length)]]
      .filter(([name], index, all) => all.findIndex(([other]) => other === name) === index)
      .flat();
    // The third question is the one right before the request counts as accepted.
    guard.onAsked = (time) => {
      if (time === 2) setImmediate(() => outgoing.end(message.body.subarray(5)));
      if (time >= 3) guard.objection = 'scope-revoked';
    };
    const outgoing = httpRequest({ host, port, method: 'PUT', path: '/slow', headers, setHost: false, agent: false });
    outgoing.write(message.body.subarray(0, 5));
    const reason = await new Promise((resolve, reject) => {
      outgoing.on('response', (response) => {
        response.resume();
        resolve(response.headers['x-keyd-reason']);
      });
      outgoing.on('error', reject);
    });
    t.equal(reason, 'scope-revoked');
    t.equal(upstream.requests.length, 0);
    t.notOk(log.some((line) => line.includes('request-accepted')));
  });
}

t.test('horizons that contradict each other are told with the arithmetic', (t) => {
  const complete = environmentOf(t.testdir());
  const problems = (env: Record<string, string>): readonly string[] => {
    try {
      readConfiguration(configuration, { ...complete, ...env });
      return [];
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
  };
  t.match(readConfiguration(configuration, complete), { softHorizon: 60, hardHorizon: 43_200 });
  t.same(problems({ KEYD_SOFT_HORIZON: '9s', KEYD_HARD_HORIZON: '10s' }), []);
  t.match(problems({ KEYD_SOFT_HORIZON: '1s', KEYD_HARD_HORIZON: '9s' }), [/KEYD_HARD_HORIZON is 9s.*2 x 5s = 10s/]);
  t.match(problems({ KEYD_SOFT_HORIZON: '1h', KEYD_HARD_HORIZON: '1h' }), [/3600s.*must be below.*3600s/]);
  for (const sources of ['http://a/feed.json', 'feed.json', 'https://u:p@a/feed.json', 'https://a/x,,https://b/x']) {
    t.match(problems({ KEYD_FEED_SOURCES: sources }), [/^KEYD_FEED_SOURCES must be/], sources);
  }
  t.same(problems({ KEYD_FEED_SOURCES: 'https://a/feed.json,https://b:8443/keyd/feed.json?copy=2' }), []);
  t.match(problems({ KEYD_FEED_KEYS: 'no json' }), [/^KEYD_FEED_KEYS must be a JWKS/]);
  t.match(problems({ KEYD_FEED_KEYS: '' }), [/^KEYD_FEED_KEYS is missing/]);
  t.end();
});
