import { readFileSync } from 'node:fs';
import { signSessionToken } from '@sigv4-keyd/hop-protocol';
import t from 'tap';
import { chunked, withChangedByte } from '../edge-verifier/chunked-client.js';
import { ACCESS_KEY_ID, presigned, send, signed, type Message } from '../edge-verifier/client.js';
import { form } from '../edge-verifier/post-form-client.js';
import { question } from '../edge-verifier/question.js';
import { until } from '../support/victim.js';
import { startAbove, startEdge, type AboveEdges, type EdgeOfWorkers } from './edge-of-workers.js';

// Whole edges as processes.
t.setTimeout(170_000);

const SESSION_KEY_ID = 'ASIAOFTHEWORKERTESTS';
const SESSION_SECRET = 'a-secret-of-a-session-of-these-tests';
const EVERYTHING = {
  KEYD_ALGORITHMS: 'AWS4-HMAC-SHA256,AWS4-ECDSA-P256-SHA256',
  KEYD_POST_FORMS: 'yes',
  KEYD_DEBUG_SIGNATURES: 'yes',
  KEYD_BODY_IN_MEMORY: '64KiB',
};

/** Requests of every kind, good and bad, by what they are. */
async function messagesFor({ region, feed }: AboveEdges): Promise<Readonly<Record<string, Message>>> {
  const now = Date.now();
  region.parent.secrets.set(SESSION_KEY_ID, SESSION_SECRET);
  const session = {
    ...{ accessKeyId: SESSION_KEY_ID, parentAccessKeyId: ACCESS_KEY_ID },
    ...{ createdAt: now - 60_000, expiresAt: now + 3_600_000 },
  };
  const sessionToken = await signSessionToken(session, feed.keys.revocation);
  const ofSession = { now, accessKeyId: SESSION_KEY_ID, secret: SESSION_SECRET };
  const large = Buffer.alloc(200_000, 'x');
  const chunks = await chunked({ now, kind: 'streaming-signed-trailer', data: large });
  return {
    get: signed({ now }),
    'a body by way of a file': signed({ now, method: 'PUT', body: large }),
    presigned: presigned({ now }),
    'a key pair': signed({ now, regionSet: ['eu-*'] }),
    'a session': signed({ ...ofSession, sessionToken }),
    'a session without its token': signed(ofSession),
    'a form': form({ now }),
    chunks,
    'chunks that were changed': withChangedByte(chunks, 100_000),
    'another secret': signed({ now, secret: 'wrong' }),
    'an unknown access key': signed({ now, accessKeyId: 'AKIANOBODY' }),
    'another service': signed({ now, service: 'sqs' }),
    'another day': signed({ now: now - 3 * 86_400_000 }),
  };
}

/** What the edge makes of each, at every worker: connections are given to the workers by turns. */
async function verdictsOf(edge: EdgeOfWorkers, messages: Readonly<Record<string, Message>>): Promise<object> {
  const verdicts: Record<string, unknown> = {};
  for (const [name, message] of Object.entries(messages)) {
    const replies = [await edge.send(message), await edge.send(message)];
    const [first, second] = replies.map(({ status, headers }) => `${status} ${String(headers['x-keyd-reason'] ?? '')}`);
    verdicts[name] = first === second ? first : [first, second];
  }
  const ask = async (message: Message): Promise<number> =>
    (await send(edge.forwardAuth, question(message, 'x-original'))).status;
  const [good, bad] = [signed({ now: Date.now() }), signed({ now: Date.now(), secret: 'wrong' })];
  verdicts['forward auth'] = [await ask(good), await ask(good), await ask(bad), await ask(bad)];
  const { body } = await edge.send(signed({ now: Date.now(), secret: 'wrong' }));
  verdicts['told to developers'] = body.includes('CanonicalRequest');
  return verdicts;
}

/** Their sum over the edge. */
const ACCEPTED = 'keyd_requests_accepted_total{mechanism="header",algorithm="AWS4-HMAC-SHA256"}';
const MISMATCHES = 'keyd_requests_refused_total{reason="signature-mismatch"}';
const TIMED = 'keyd_verification_seconds_count{verdict="accepted"}';

t.test(
  'two workers, confined or not, say of every request what one process says; they count and ask as one edge',
  async (t) => {
    const above = await startAbove(t);
    const messages = await messagesFor(above);
    const alone = await startEdge(t, above, { workers: 1, env: EVERYTHING });
    const expected = await verdictsOf(alone, messages);
    const counted = [await alone.metric(ACCEPTED), await alone.metric(MISMATCHES), await alone.metric(TIMED)];
    await alone.victim.stop();
    t.match(expected, { get: '200 ', 'a key pair': '200 ', 'a session': '200 ', 'a form': '200 ', chunks: '200 ' });

    const { parent } = above.region;
    parent.requests.length = 0;
    const edge = await startEdge(t, above, { workers: 2, env: EVERYTHING });
    t.equal((await edge.pids()).length, 2);
    t.same(await verdictsOf(edge, messages), expected);
    const asOne = [await edge.metric(ACCEPTED), await edge.metric(MISMATCHES), await edge.metric(TIMED)];
    t.same(asOne, counted, 'a scrape has what both counted');
    const { workers, warnings } = await edge.status();
    t.match(warnings, [/KEYD_DEBUG_SIGNATURES is on/], 'and nothing else');
    t.ok(
      workers.every(({ keysHeld }) => keysHeld >= 2),
      'each holds the keys that it uses',
    );
    const asked = parent.requests.flatMap(({ date, accessKeyIds }) => accessKeyIds.map((id) => `${date}/${id}`));
    const ofHeld = asked.filter((name) => name.endsWith(ACCESS_KEY_ID) || name.endsWith(SESSION_KEY_ID));
    t.equal(new Set(ofHeld).size, ofHeld.length, 'a key is asked for once, for both');
    t.ok(ofHeld.length >= 2);
    await edge.victim.stop();

    const confined = await startEdge(t, above, { workers: 2, confinedFor: 2, env: EVERYTHING });
    t.same(await verdictsOf(confined, messages), expected, 'confined, too');
    t.notMatch(confined.log(), /permissions-off|ERR_ACCESS_DENIED/);
    for (const pid of process.platform === 'linux' ? await confined.pids() : []) {
      const started = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      t.match(started, /--(experimental-)?permission/);
      t.notMatch(started, '--allow-child-process', 'a worker starts no process');
      t.notMatch(started, confined.stateFolder, 'and reads nothing of the edge');
      t.notMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), '--allow-', 'whatever the edge was started with');
    }
  },
);

t.test('an edge that may start no process says so at its start', async (t) => {
  const above = await startAbove(t);
  const refused = await startEdge(t, above, { workers: 2, confinedFor: 1, isWaited: false });
  await until(() => refused.victim.child?.exitCode !== null);
  t.equal(refused.victim.child?.exitCode, 78);
  t.match(
    refused.log(),
    'KEYD_WORKERS=2 needs processes of its own, which are not permitted: start it with --confined',
  );
});

t.test('a port that is taken ends the start, with what to do', async (t) => {
  const above = await startAbove(t);
  const { host } = new URL(above.upstream.url);
  const edge = await startEdge(t, above, { workers: 2, env: { KEYD_PROXY_LISTEN: host }, isWaited: false });
  await until(() => edge.victim.child?.exitCode !== null);
  t.equal(edge.victim.child?.exitCode, 69);
  t.match(edge.log(), `edge-verifier: ${host} is taken; choose another with KEYD_PROXY_LISTEN`);
});
