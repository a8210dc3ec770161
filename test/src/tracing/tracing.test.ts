import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { SpanKind } from '@opentelemetry/api';
import { configuration as signerConfiguration, startCustodySigner } from '@sigv4-keyd/custody-signer';
import {
  createSignerKey,
  LookupBatches,
  SPAN_ATTRIBUTES,
  systemClock,
  withinSpan,
  type CreatedAccessKey,
} from '@sigv4-keyd/hop-protocol';
import { Audit, Stopwatch } from '@sigv4-keyd/edge-verifier';
import { createLogger, LogLines, openTraces, readConfiguration } from '@sigv4-keyd/service-skeleton';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { externalSettings, signerEnvironment } from '../custody/signer-under-test.js';
import { presigned, send, signed, type Draft, type Reply } from '../edge-verifier/client.js';
import { kDatesOf, kRegionsOf, kServicesOf, kSigningsOf, secretsOf } from '../memory/ladder.js';
import { startStoryTiers, type StoryOptions, type StoryTiers } from '../story/story-tiers.js';
import { KeySearch } from '../support/key-search.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { newStateFolder } from '../support/state-folder.js';
import { until } from '../support/victim.js';
import { Collector, type Collected } from './collector.js';

t.setTimeout(170_000);

const EAST = { region: 'us-east-1', service: 's3' };
const CLIENTS_TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENTS_SPAN = 'b7ad6b7169203331';
const TRACEPARENT = ['traceparent', `00-${CLIENTS_TRACE}-${CLIENTS_SPAN}-01`] as const;
const TRACESTATE = ['tracestate', 'vendor=what-a-client-wrote'] as const;

/** The spans of one request that were sent by different services. */
const NEEDED: readonly (readonly [service: string, name: string | RegExp])[] = [
  ['region-keyd', 'POST /v1/service-keys'],
  ['region-keyd', 'POST /v1/region-keys'],
  ['master-keyd', 'POST /v1/region-keys'],
  ['master-keyd', 'derive kRegion'],
  ['master-keyd', 'INSERT issuance'],
  ['master-keyd', 'COMMIT'],
  ['custody-signer', /^POST/],
];

interface TracedTiers extends StoryTiers {
  readonly clock: LeapingClock;
  readonly proxy: string;
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  readonly accessKey: () => Promise<CreatedAccessKey>;
  readonly ask: (draft: Draft) => Promise<Reply>;
}

async function tracedTiers(t: Test, endpoint: string, options: StoryOptions = {}): Promise<TracedTiers> {
  const logged: Record<string, unknown>[] = [];
  const write = (line: string): number => logged.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLogger({ service: 'tiers', level: 'debug', isTraced: true, destination: { write } });
  const clock = new LeapingClock(Date.now());
  const every = { KEYD_TRACES_ENDPOINT: endpoint, ...options.every };
  const tiers = await startStoryTiers(t, clock, [EAST], { ...options, log, every });
  await tiers.leapTo(clock.now() + 1_000);
  const proxy = tiers.edges[0]?.proxy ?? '';
  return {
    ...tiers,
    clock,
    proxy,
    logged,
    accessKey: async () =>
      (await tiers.keydctl('access-key', 'create', '--owner', 'ann')) as unknown as CreatedAccessKey,
    // A busy machine may be too slow to fetch a key: clients try again, too.
    async ask(draft) {
      for (;;) {
        const reply = await send(proxy, signed({ ...EAST, now: clock.now(), ...draft }));
        if (reply.headers['x-keyd-reason'] !== 'keys-unavailable') return reply;
        await tiers.leapTo(clock.now() + 6_000);
      }
    },
  };
}

const ofRequest =
  (reply: Reply) =>
  ({ service, kind, facts }: Collected): boolean =>
    service === 'edge-verifier' && kind === 2 && facts['keyd.request_id'] === reply.headers['x-amz-request-id'];

t.test('one request is one trace, through every tier down to the signer and the database', async (t) => {
  const collector = await Collector.start(t);
  const key = createSignerKey();
  const clock = new LeapingClock(Date.now());
  const tiers = await tracedTiers(t, collector.url, {
    async beside(authority) {
      const env = await signerEnvironment(authority, { key, stateFolder: newStateFolder(t), port: 0 });
      const settings = readConfiguration(signerConfiguration, { ...env, KEYD_TRACES_ENDPOINT: collector.url });
      const log = createLogger({ service: 'signer', level: 'silent' });
      const signer = await startCustodySigner(settings, { clock, log });
      t.teardown(() => signer.close());
      return externalSettings([new URL(`https://${signer.addresses['hop'] ?? ''}`)], key);
    },
  });
  const { accessKeyId, secretAccessKey: secret } = await tiers.accessKey();
  const sessionToken = randomBytes(40).toString('base64');
  const target = '/a-bucket/a-name-that-nobody-else-should-read?list-type=2';
  const message = signed({ ...EAST, accessKeyId, secret, now: tiers.clock.now(), target });
  const reply = await tiers.ask({ accessKeyId, secret, target, unsigned: [TRACEPARENT, TRACESTATE] });
  t.equal(reply.status, 200);
  const isOurs = ofRequest(reply);

  await until(() => collector.spans.some(isOurs));
  const root = collector.spans.find(isOurs);
  if (!root) throw new Error('the span of the request is missing');
  const own = (): readonly Collected[] => collector.trace(root.traceId);
  const find = (service: string, name: string | RegExp): Collected | undefined =>
    own().find(
      (span) => span.service === service && (typeof name === 'string' ? span.name === name : name.test(span.name)),
    );
  // The services send apart.
  await until(() => NEEDED.every(([service, name]) => find(service, name) !== undefined));

  const toMaster = [
    'master-keyd server POST /v1/region-keys',
    'region-keyd client POST /v1/region-keys',
    'region-keyd server POST /v1/service-keys',
    'edge-verifier client POST /v1/service-keys',
    'edge-verifier server GET',
  ];
  const wayUpFrom = (service: string, name: string | RegExp): readonly string[] => {
    const span = find(service, name);
    return span ? collector.wayUp(span) : [];
  };
  t.strictSame(wayUpFrom('master-keyd', 'POST /v1/region-keys'), toMaster);
  t.strictSame(wayUpFrom('master-keyd', 'INSERT issuance'), ['master-keyd client INSERT issuance', ...toMaster]);
  t.strictSame(wayUpFrom('master-keyd', 'COMMIT'), ['master-keyd client COMMIT', ...toMaster]);
  const derived = ['master-keyd internal derive kRegion', ...toMaster];
  t.strictSame(wayUpFrom('master-keyd', 'derive kRegion'), derived);
  const atSigner = wayUpFrom('custody-signer', /^POST/);
  t.match(atSigner[0], /^custody-signer server POST \/v1\//, 'the signer is asked within the same trace');
  t.strictSame(atSigner.slice(2), derived);

  t.equal(root.parentSpanId, undefined, "a client's own trace is no parent");
  t.strictSame(
    root.links.map(({ traceId, spanId }) => [traceId, spanId]),
    [[CLIENTS_TRACE, CLIENTS_SPAN]],
    'but a link',
  );
  t.match(root.facts, { 'keyd.verdict': 'accepted', 'keyd.mechanism': 'header', 'keyd.front': 'proxy' });
  t.match(root.facts, { 'http.request.method': 'GET', 'http.response.status_code': 200 });
  const [told = ''] = tiers.upstream.lastHeader('traceparent');
  const [, toldTrace, toldSpan] = told.split('-');
  t.equal(toldTrace, root.traceId, 'the upstream is told of our trace, in place of the one that the client wrote');
  const sending = own().find(({ spanId }) => spanId === toldSpan);
  t.equal(sending && collector.parentOf(sending)?.spanId, root.spanId, 'and of the span that asks it');
  t.strictSame(tiers.upstream.lastHeader('tracestate'), [], "nothing is left of the client's own");

  const linesOf = (event: string): Readonly<Record<string, unknown>> | undefined =>
    tiers.logged.find((line) => line['event'] === event && line['trace_id'] === root.traceId);
  for (const event of ['request-accepted', 'service-keys-issued', 'region-keys-issued']) {
    t.equal(
      linesOf(event)?.['requestId'],
      reply.headers['x-amz-request-id'],
      `${event}: with the trace and the request`,
    );
  }

  await t.test('a refusal says why, and is no fault of ours', async (t) => {
    const refused = await tiers.ask({ accessKeyId, secret: 'another', sessionToken });
    t.equal(refused.status, 400);
    const isRefused = ofRequest(refused);
    await until(() => collector.spans.some(isRefused));
    const span = collector.spans.find(isRefused);
    t.match(span?.facts, { 'keyd.verdict': 'refused', 'keyd.refusal_reason': refused.headers['x-keyd-reason'] });
    t.notOk(span?.status.code === 2, 'the fault is with the client');
  });

  await t.test('the feed and the streams of days have traces, too', async () => {
    const isAnswered = (route: RegExp): boolean =>
      collector.spans.some(
        (span) =>
          span.kind === 2 && route.test(span.name) && collector.parentOf(span)?.kind === 3 && span.facts['keyd.peer'],
      );
    await until(async () => {
      await tiers.leapTo(tiers.clock.now() + 2_000);
      return isAnswered(/^GET \/v1\/feed$/) && isAnswered(/^POST \/v1\/region-keys\/day$/);
    });
  });

  await t.test('no span has a key, a secret, a signature, or what a client asks for', async (t) => {
    const url = presigned({ ...EAST, accessKeyId, secret, now: tiers.clock.now(), target });
    t.equal((await send(tiers.proxy, url)).status, 200);
    for (const span of collector.spans) {
      const unknown = Object.keys(span.facts).filter((name) => !(name in SPAN_ATTRIBUTES));
      if (unknown.length > 0) t.fail(`${span.name} has what is not written down: ${unknown.join(', ')}`);
    }
    const climbed = { accessKeyId, secretAccessKey: secret, dates: [scopeDateOf(tiers.clock.now())] };
    const search = new KeySearch([
      ...secretsOf(climbed),
      ...kDatesOf(climbed),
      ...kRegionsOf(climbed, EAST.region),
      ...kServicesOf(climbed, EAST.region, EAST.service),
      ...kSigningsOf(climbed, EAST.region, EAST.service),
      { name: 'a session token', bytes: Buffer.from(sessionToken) },
      { name: 'what a client wrote', bytes: Buffer.from(TRACESTATE[1]) },
      { name: 'the name of an object', bytes: Buffer.from('a-name-that-nobody-else-should-read') },
      { name: 'an access key id', bytes: Buffer.from(accessKeyId) },
      { name: 'a signature', bytes: Buffer.from(signatureOf(message.headers)) },
      { name: 'the signature of a URL', bytes: Buffer.from(url.target.split('X-Amz-Signature=')[1] ?? '-') },
      { name: 'the password of the database', bytes: Buffer.from(new URL(tiers.database).password || '-') },
    ]);
    const seen = collector.spans.length;
    await tiers.ask({ accessKeyId, secret });
    await until(() => collector.spans.length > seen);
    t.strictSame([...search.in(collector.bytes)], []);
    const planted = new KeySearch([{ name: 'a route', bytes: Buffer.from('/v1/region-keys') }]);
    t.equal(planted.in(collector.bytes).size, 1, 'what is there is found');
  });
});

t.test("a client's trace is the parent where the edge is told so, and stays as it is where it is signed", async (t) => {
  const collector = await Collector.start(t);
  const tiers = await tracedTiers(t, collector.url, { edge: { KEYD_CLIENT_TRACES: 'parent' } });
  const { accessKeyId, secretAccessKey: secret } = await tiers.accessKey();
  const reply = await tiers.ask({ accessKeyId, secret, headers: [TRACEPARENT] });
  t.equal(reply.status, 200);
  t.strictSame(tiers.upstream.lastHeader('traceparent'), [TRACEPARENT[1]], 'what was verified is what is served');
  await until(() => collector.spans.some(ofRequest(reply)));
  const span = collector.spans.find(ofRequest(reply));
  t.equal(span?.traceId, CLIENTS_TRACE);
  t.equal(span?.parentSpanId, CLIENTS_SPAN);
});

t.test('requests that wait for one answer ask in the trace of the first; the others link to it', async (t) => {
  const collector = await Collector.start(t);
  const log = createLogger({ service: 'asked-together', level: 'silent' });
  const settings = { tracesEndpoint: new URL(collector.url), tracesRatio: 1 };
  const traces = await openTraces(settings, { service: 'asked-together', log });
  const { tracer } = traces;
  if (!tracer) throw new Error('traces are on');
  const date = scopeDateOf(Date.now());
  const answers: (() => void)[] = [];
  const batches = new LookupBatches<string>({
    clock: systemClock,
    random: () => 0.5,
    mostAtOnce: 10,
    fetch: () => {
      tracer.startSpan('asks').end();
      return new Promise((resolve) => {
        answers.push(() => resolve({ issued: new Map(), absent: new Map() }));
      });
    },
  });
  const request = (name: string, accessKeyId: string): Promise<unknown> =>
    withinSpan(tracer, { name, kind: SpanKind.SERVER, facts: {} }, () => batches.ask(date, accessKeyId));
  const waiting = [request('first', 'A'), request('second', 'A'), request('third', 'B')];
  await until(() => answers.length === 1);
  waiting.push(request('late', 'A'), request('next', 'C'), request('with the next', 'C'));
  answers[0]?.();
  await until(() => answers.length === 2);
  answers[1]?.();
  await Promise.all(waiting);
  await traces.close();
  const span = (name: string): Collected | undefined => collector.spans.find((one) => one.name === name);
  const linked = (name: string): readonly (string | undefined)[] =>
    span(name)?.links.map(({ spanId }) => collector.spans.find((one) => one.spanId === spanId)?.name) ?? ['missing'];
  const asks = collector.spans.filter(({ name }) => name === 'asks').map((one) => collector.parentOf(one)?.name);
  t.strictSame(asks, ['first', 'next'], 'each is asked within the span of the first that waits');
  t.strictSame(linked('first'), []);
  for (const name of ['second', 'third', 'late']) t.strictSame(linked(name), ['first']);
  t.strictSame(linked('with the next'), ['next']);
});

t.test('requests whose lines are written together go on in their own traces', async (t) => {
  const collector = await Collector.start(t);
  const log = createLogger({ service: 'written-together', level: 'silent' });
  const settings = { tracesEndpoint: new URL(collector.url), tracesRatio: 1 };
  const traces = await openTraces(settings, { service: 'written-together', log });
  const { tracer } = traces;
  if (!tracer) throw new Error('traces are on');
  const nothing = (): undefined => undefined;
  const audit = new Audit('an edge', {
    log,
    lines: new LogLines({ write: nothing }),
    meter: { accepted: nothing, refused: nothing },
    keys: { recordAccepted: nothing },
    isTraced: true,
  });
  const head = { method: 'GET', target: '/', rawHeaders: [] };
  const request = (requestId: string): Promise<void> =>
    withinSpan(tracer, { name: requestId, kind: SpanKind.SERVER, facts: {} }, () => {
      const audited = { head, requestId, stopwatch: new Stopwatch() };
      return new Promise<void>((resolve) => {
        audit.refused(audited, { reason: 'signature-mismatch' }, undefined, () => {
          tracer.startSpan(`behind the line of ${requestId}`).end();
          resolve();
        });
      });
    });
  const names = ['first', 'second', 'third'];
  await Promise.all(names.map(request));
  await traces.close();
  for (const name of names) {
    const behind = collector.spans.find((one) => one.name === `behind the line of ${name}`);
    t.equal(behind && collector.parentOf(behind)?.name, name);
  }
});

t.test('a collector that is dead or silent changes nothing but the log', async (t) => {
  const silent = await Collector.start(t);
  silent.isSilent = true;
  const deaf = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => deaf.close(resolve)));
  const address = deaf.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const tiers = await tracedTiers(t, silent.url, {
    edge: { KEYD_TRACES_ENDPOINT: `http://127.0.0.1:${String(port)}` },
  });
  const { accessKeyId, secretAccessKey: secret } = await tiers.accessKey();
  for (let asked = 0; asked < 20; asked += 1) t.equal((await tiers.ask({ accessKeyId, secret })).status, 200);
  const isTold = (): boolean => tiers.logged.filter(({ event }) => event === 'traces-lost').length >= 3;
  await until(isTold);
});

t.test('nothing is traced, and nobody is asked, where no collector is named', async (t) => {
  const tiers = await tracedTiers(t, '');
  const { accessKeyId, secretAccessKey: secret } = await tiers.accessKey();
  const reply = await tiers.ask({ accessKeyId, secret, unsigned: [TRACEPARENT, TRACESTATE] });
  t.equal(reply.status, 200);
  t.strictSame(
    tiers.upstream.lastHeader('traceparent'),
    [TRACEPARENT[1]],
    "a client's own goes on as any other header",
  );
  t.strictSame(tiers.upstream.lastHeader('tracestate'), [TRACESTATE[1]]);
  t.notOk(tiers.logged.some((line) => 'trace_id' in line));
});

function signatureOf(headers: readonly (readonly [string, string])[]): string {
  const authorization = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
  const signature = /Signature=([0-9a-f]{64})/.exec(authorization)?.[1];
  if (signature === undefined) throw new Error('the request is not signed');
  return signature;
}
