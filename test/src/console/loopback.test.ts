import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONSOLE_HEADER, PAGE_HEADERS } from '@sigv4-keyd/console';
import { startConsole } from '@sigv4-keyd/keydctl';
import { KeydError } from '@sigv4-keyd/hop-protocol';
import t, { type Test } from 'tap';
import { request, type Dispatcher } from 'undici';
import { keydctl, keydctlJson } from '../keydctl/keydctl-under-test.js';
import { runLikeNpm, untilGone } from '../local-stack/stack-process.js';
import { NOON } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { watchedMaster } from './watched-master.js';

t.setTimeout(120_000);

const EDGE = `spiffe://${TRUST_DOMAIN}/edge/us-east-1/s3/e1`;

type Headers = Readonly<Record<string, string>>;

async function ask(origin: string, method: Dispatcher.HttpMethod, path: string, headers: Headers = {}, body?: unknown) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await request(`${origin}${path}`, { method, headers, ...(text !== undefined && { body: text }) });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

/** What the page sends with a change. */
const changing = (origin: string): Headers => ({
  origin,
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/json',
  [CONSOLE_HEADER]: 'page',
});

/** Opens the link as the page does; the headers of its session. */
async function openedBy(link: string): Promise<{ readonly origin: string; readonly session: Headers }> {
  const { origin, hash } = new URL(link);
  const { status, headers, text } = await ask(origin, 'POST', '/console/session', changing(origin), {
    token: hash.slice(1),
  });
  if (status !== 200) throw new Error(text);
  const { session } = JSON.parse(text) as { readonly session: string };
  const [cookie = ''] = String(headers['set-cookie']).split(';');
  return { origin, session: { ...changing(origin), [CONSOLE_HEADER]: session, cookie } };
}

t.test('keydctl console: a link that is good once, to a session that is the page’s alone', async (t) => {
  const { call, today } = await watchedMaster(t);
  const interruption = new AbortController();
  let print: (text: string) => void = () => undefined;
  const printed = new Promise<string>((resolve) => {
    print = resolve;
  });
  const ended = keydctl(['console', '--json'], {
    ...call,
    interruption: interruption.signal,
    onOutput: (text) => print(text),
  });
  const [link = ''] = /http:\S+/.exec(await printed) ?? [];
  const { origin, pathname, hash } = new URL(link);
  t.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/, 'this machine alone');
  t.equal(pathname, '/console/');
  const token = hash.slice(1);
  t.match(token, /^[A-Za-z0-9_-]{43}$/);

  t.match(await ask(origin, 'GET', '/console/', { 'sec-fetch-site': 'none' }), { status: 200, headers: PAGE_HEADERS });
  for (const wrong of ['', 'x'.repeat(43), `${token} `, token.slice(1)]) {
    const answer = await ask(origin, 'POST', '/console/session', changing(origin), { token: wrong });
    t.match(answer, { status: 403, text: /link-used/ }, wrong);
    t.notOk(answer.headers['set-cookie']);
  }
  const opened = await ask(origin, 'POST', '/console/session', changing(origin), { token });
  t.equal(opened.status, 200);
  t.match(opened.headers['set-cookie'], /^keyd-console-\d+=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  const again = await ask(origin, 'POST', '/console/session', changing(origin), { token });
  t.match(again, { status: 403, text: /link-used/ }, 'the link is good once');

  const { session: page } = JSON.parse(opened.text) as { readonly session: string };
  const [cookie = ''] = String(opened.headers['set-cookie']).split(';');
  const session = { ...changing(origin), [CONSOLE_HEADER]: page, cookie };
  t.match(await ask(origin, 'GET', '/v1/overview', session), { status: 200, text: /"regions":\[\{/ });
  const partial: readonly (readonly [string, Headers])[] = [
    ['nothing', changing(origin)],
    ['the cookie alone', { ...changing(origin), cookie }],
    ['the page alone', { ...changing(origin), [CONSOLE_HEADER]: page }],
    ['the one for the other', { ...session, [CONSOLE_HEADER]: cookie.replace(/^.*=/, '') }],
    ['the cookie twice', { ...session, cookie: `${cookie}; ${cookie}` }],
    ['the token', { ...session, [CONSOLE_HEADER]: token }],
  ];
  const body = { from: today, region: 'us-east-1', incident: 'INC-7', reason: 'a test' };
  for (const [name, headers] of partial) {
    t.match(await ask(origin, 'GET', '/v1/overview', headers), { status: 401, text: /no-session/ }, name);
    const banned = `/v1/identity-bans?${new URLSearchParams({ spiffeId: EDGE }).toString()}`;
    for (const [method, path, sent] of [
      ['POST', '/v1/revocations', body],
      ['GET', '/v1/revocations', undefined],
      ['POST', '/v1/lifts', { jws: 'a.b.c' }],
      ['POST', '/v1/identity-bans', { spiffeId: EDGE, reason: 'a test' }],
      ['DELETE', banned, {}],
      ['GET', `/v1/incident-report?from=${today}`, undefined],
    ] as const) {
      t.match(await ask(origin, method, path, headers, sent), { status: 401, text: /no-session/ }, `${name}: ${path}`);
    }
  }
  const foreign: readonly (readonly [string, Headers])[] = [
    ['a name that is pointed at this machine', { ...session, host: 'evil.example', origin: 'http://evil.example' }],
    ['the same, without an origin', { cookie, [CONSOLE_HEADER]: page, host: 'evil.example' }],
    ['localhost, which others may name', { ...session, host: new URL(origin).host.replace('127.0.0.1', 'localhost') }],
    ['another site', { ...session, origin: 'https://evil.example' }],
    ['another site, says the browser', { ...session, 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { ...session, 'sec-fetch-site': 'same-site' }],
  ];
  for (const [name, headers] of foreign) {
    for (const path of ['/console/', '/v1/overview', '/v1/revocations']) {
      t.match(await ask(origin, 'GET', path, headers), { status: 403, text: /cross-site/ }, `${name}: ${path}`);
    }
    t.match(await ask(origin, 'POST', '/v1/revocations', headers, body), { status: 403, text: /cross-site/ }, name);
  }
  const asForm = { ...session, 'content-type': 'text/plain' };
  t.match(await ask(origin, 'POST', '/v1/revocations', asForm, body), { status: 403 }, 'what a form can send');
  const withoutHeader = Object.fromEntries(Object.entries(session).filter(([name]) => name !== CONSOLE_HEADER));
  t.match(await ask(origin, 'POST', '/v1/revocations', withoutHeader, body), { status: 403 });

  const malformed = await ask(origin, 'POST', '/v1/revocations', session, { ...body, from: 'yesterday' });
  t.match(malformed, { status: 400, text: /from must be a UTC day/ });
  t.match(await ask(origin, 'POST', '/v1/revocations', session, { ...body, more: 1 }), { status: 400 });
  t.match(await ask(origin, 'POST', '/v1/access-keys', session, {}), { status: 404 }, 'the page needs no more');
  t.match(await ask(origin, 'GET', '/v1/status', session), { status: 404 });
  t.same(
    JSON.parse((await ask(origin, 'GET', '/v1/revocations', session)).text),
    { revocations: [] },
    'nothing was done',
  );
  t.match(await ask(origin, 'POST', '/v1/revocations', session, { ...body, dryRun: true }), {
    status: 200,
    text: /operator\/alice.*"published":false/,
  });
  t.match(await ask(origin, 'POST', '/v1/revocations', session, body), { status: 200, text: /"published":true/ });

  interruption.abort();
  const { code, out, err } = await ended;
  t.match({ code, out: JSON.parse(out) as unknown }, { code: 0, out: { endedBy: 'interruption' } });
  t.notMatch(`${out}${err}`, page);
  await t.rejects(ask(origin, 'GET', '/console/'), 'nobody listens any more');
});

t.test('keydctl console: mistakes are told in words', async (t) => {
  const { call } = await watchedMaster(t);
  const taken = await startConsole({ ...parts(), port: 0 });
  t.teardown(() => taken.close());
  const { port } = new URL(taken.link);
  t.match(await keydctl(['console', '--port', port], call), { code: 1, err: /port \d+ cannot be had.*--port/ });
  t.match(await keydctl(['console', '--port', '70000'], call), { code: 2, err: /--port must be a port number/ });
  t.match(await keydctl(['console', '--idle', 'long'], call), { code: 2, err: /--idle must be like 30m/ });
});

function parts(failure?: KeydError) {
  const fails = (): Promise<never> => Promise.reject(failure ?? new KeydError('parent-unavailable'));
  return {
    master: {
      overview: fails,
      revocations: fails,
      revoke: fails,
      lift: fails,
      ban: fails,
      unban: fails,
      incidentReport: fails,
    },
    clock: new VirtualClock(NOON),
    idleMs: 60_000,
  };
}

async function console(t: Test, failure?: KeydError) {
  const options = parts(failure);
  const running = await startConsole({ ...options, port: await freePort() });
  t.teardown(() => running.close());
  return { ...running, clock: options.clock };
}

t.test('a console that nobody uses ends; what is refused is no use', async (t) => {
  const { link, idle, clock } = await console(t);
  let hasEnded = false;
  void idle.then(() => {
    hasEnded = true;
  });
  const { origin, session } = await openedBy(link);
  for (let passed = 0; passed < 3; passed += 1) {
    await clock.advance(59_000);
    t.match(await ask(origin, 'GET', '/v1/overview', session), { status: 503, text: /parent-unavailable/ });
  }
  t.notOk(hasEnded);
  await clock.advance(59_000);
  await ask(origin, 'GET', '/v1/overview', { ...session, cookie: '' });
  await clock.advance(1_000);
  await idle;
  t.ok(hasEnded);
});

t.test('what the master refuses is told as the master said it, and no more', async (t) => {
  const secret = new Error('never shown');
  const refusal = new KeydError('wrong-state', { detail: 'the feed is full', cause: secret });
  const { link } = await console(t, refusal);
  const { origin, session } = await openedBy(link);
  const answer = await ask(origin, 'POST', '/v1/revocations', session, {
    from: '20261122',
    incident: 'I',
    reason: 'r',
  });
  t.match(answer, { status: 409, text: /"wrong-state".*the feed is full/ });
  t.notMatch(answer.text, /never shown/);
});

t.test('a console that npm started ends with it, even when only npm is told to end', async (t) => {
  const now = Date.now();
  const pki = join(t.testdir(), 'pki');
  await keydctlJson(['pki', 'init', '--out', join(pki, 'ca'), '--trust-domain', TRUST_DOMAIN], { now });
  await keydctlJson(['pki', 'issue', 'operator', 'alice', '--ca', join(pki, 'ca'), '--out', join(pki, 'alice')], {
    now,
  });
  const main = fileURLToPath(new URL('main.js', import.meta.resolve('@sigv4-keyd/keydctl')));
  const command = [main, 'console', '--master', 'https://127.0.0.1:1', '--credentials', join(pki, 'alice')];
  const npm = runLikeNpm(t, 'keydctl', command);
  const [, pid = ''] = await npm.says(/started as (\d+)/);
  await npm.says(/Open http/);
  npm.child.kill('SIGKILL');
  await untilGone(t, [Number(pid)]);
  await npm.ended;
  t.match(npm.out, /"endedBy": "interruption"|The console has ended/, 'in its order');
});
