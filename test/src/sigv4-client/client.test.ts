import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ReadableStream } from 'node:stream/web';
import { EMPTY_BODY_SHA256 } from '@sigv4-keyd/sigv4-core';
import { createSigner, credentialsFromEnvironment, SigningError, type Signer } from '@sigv4-keyd/sigv4-client';
import t from 'tap';
import { Agent, fetch as undiciFetch, FormData as UndiciForm, interceptors, request } from 'undici';
import { ACCESS_KEY_ID, CREDENTIALS, SCOPE, SECRET, VerifyingServer } from './verifying-server.js';

const HOUR = 3_600_000;
const signer = createSigner({ ...SCOPE, credentials: CREDENTIALS });

function blobOf(content: string): Promise<Blob> {
  const folder = mkdtempSync(join(tmpdir(), 'sigv4-client-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'body');
  writeFileSync(path, content);
  return openAsBlob(path);
}

async function* parts(...texts: string[]): AsyncGenerator<Buffer> {
  for (const one of texts) yield await Promise.resolve(Buffer.from(one));
}

t.test('fetch: whatever fetch takes', async (t) => {
  const server = await VerifyingServer.start(t);
  const { origin } = server;
  const ok = async (input: string | URL | Request, init?: RequestInit): Promise<VerifyingServer['last']> => {
    const response = await signer.fetch(input, init);
    t.equal(response.status, 200, `${await response.text()} ${response.headers.get('x-keyd-reason') ?? ''}`);
    return server.last;
  };
  t.match(await ok(`${origin}/a/../b//c%20d?x=1&y=a+b&z=%C3%BC#fragment`), { target: '/b//c%20d?x=1&y=a+b&z=%C3%BC' });
  t.match(await ok(new URL(`${origin}/ü`)), { method: 'GET', target: '/%C3%BC' });
  t.match(await ok(origin, { method: 'PUT', body: 'ü', headers: { 'X-Amz-Meta-Colour': 'blue' } }), {
    method: 'PUT',
    headers: { 'content-type': 'text/plain;charset=UTF-8', 'x-amz-meta-colour': 'blue' },
    body: Buffer.from('ü'),
  });
  t.match(await ok(origin, { method: 'PUT', body: new Uint8Array([0, 255, 1]).subarray(1) }), {
    body: Buffer.from([255, 1]),
  });
  t.match(await ok(origin, { method: 'POST', body: new URLSearchParams({ a: 'b c' }) }), {
    headers: { 'content-type': /urlencoded/ },
    body: Buffer.from('a=b+c'),
  });
  t.match(await ok(origin, { method: 'PUT', body: await blobOf('from a file') }), { body: Buffer.from('from a file') });
  t.match(await ok(origin, { method: 'PUT', body: new Blob(['{}'], { type: 'application/json' }) }), {
    headers: { 'content-type': 'application/json' },
  });
  const form = new FormData();
  form.append('field', 'value');
  form.append('file', new Blob(['content']), 'name.txt');
  const posted = await ok(origin, { method: 'POST', body: form });
  t.match(posted.body.toString(), /name="field"[^]*value[^]*filename="name.txt"[^]*content/);
  t.match(posted.headers['content-type'], /^multipart\/form-data; boundary=/);
  t.match(await ok(origin, { method: 'PUT', body: ReadableStream.from(parts('a', 'b')) }), { body: Buffer.from('ab') });
  t.match(await ok(origin, { method: 'PUT', body: Readable.from(parts('c', 'd')) }), { body: Buffer.from('cd') });
  const made = new Request(`${origin}/made`, { method: 'PUT', body: 'of a Request', headers: { 'x-amz-meta-a': 'b' } });
  t.match(await ok(made), { target: '/made', body: Buffer.from('of a Request'), headers: { 'x-amz-meta-a': 'b' } });
  t.match(await ok(new Request(origin), { method: 'DELETE' }), { method: 'DELETE' });
  t.equal((await signer.fetch(origin, { method: 'HEAD' })).status, 200);
});

t.test("undici's own fetch, which sends every body as a stream, hears of one that is too long", async (t) => {
  const server = await VerifyingServer.start(t);
  const small = createSigner({ ...SCOPE, credentials: CREDENTIALS, longestHeldStream: 100_000 });
  const dispatcher = new Agent().compose(small.interceptor([server.origin]));
  const fits = await undiciFetch(server.origin, { method: 'PUT', body: 'x'.repeat(100_000), dispatcher });
  t.equal(fits.status, 200);
  const failure = undiciFetch(server.origin, { method: 'PUT', body: 'x'.repeat(20_000_000), dispatcher });
  await t.rejects(failure, { cause: { code: 'stream-too-long' } });
});

t.test('fetch: streams are held up to a bound, or go unsigned', async (t) => {
  const strict = await VerifyingServer.start(t);
  const small = createSigner({ ...SCOPE, credentials: CREDENTIALS, longestHeldStream: 3 });
  await small.fetch(strict.origin, { method: 'PUT', body: Readable.from(parts('abc')) });
  await t.rejects(small.fetch(strict.origin, { method: 'PUT', body: Readable.from(parts('ab', 'cd')) }), {
    code: 'stream-too-long',
    message: /openAsBlob/,
  });
  t.equal(strict.arrived.length, 1, 'nothing of it was sent');
  const lenient = await VerifyingServer.start(t, { payloads: ['exact', 'unsigned'] });
  const unsigned = createSigner({ ...SCOPE, credentials: CREDENTIALS, payload: 'unsigned' });
  const body = Readable.from(parts('x'.repeat(70_000), 'y'.repeat(70_000)));
  t.equal((await unsigned.fetch(lenient.origin, { method: 'PUT', body })).status, 200);
  t.equal(lenient.last.body.length, 140_000);
  t.equal(lenient.last.headers['x-amz-content-sha256'], 'UNSIGNED-PAYLOAD');
  t.equal((await unsigned.fetch(lenient.origin)).status, 200);
  t.equal(lenient.last.headers['x-amz-content-sha256'], EMPTY_BODY_SHA256, 'where there is no body, that is signed');
});

t.test('bodies in signed chunks, by every way of sending', async (t) => {
  const content = 'chunk '.repeat(30_000);
  const length = String(content.length);
  const server = await VerifyingServer.start(t, { now: () => Date.now() + 26 * HOUR });
  const chunked = createSigner({ ...SCOPE, credentials: CREDENTIALS, payload: 'chunked', longestHeldStream: 10 });
  const isServed = (status: number | undefined): void => {
    t.equal(status, 200);
    t.equal(server.last.body.toString(), content, 'the data alone arrives');
    t.match(String(server.arrived.at(-1)?.authorization), 'x-amz-decoded-content-length');
  };
  const blob = await blobOf(content);
  isServed((await chunked.fetch(server.origin, { method: 'PUT', body: blob })).status);
  t.equal(server.arrived.length, 2, 'a Blob can be sent again, with other signatures');
  const stream = (): Readable => Readable.from(parts(content.slice(0, 100_000), content.slice(100_000)));
  const headers = { 'content-length': length, 'content-encoding': 'identity' };
  isServed((await chunked.fetch(server.origin, { method: 'PUT', body: stream(), headers })).status);
  isServed((await chunked.request(server.origin, { method: 'PUT', body: stream(), headers })).statusCode);
  isServed((await chunked.request(server.origin, { method: 'PUT', body: blob })).statusCode);
  const dispatcher = new Agent().compose(chunked.interceptor([server.origin]));
  t.teardown(() => dispatcher.close());
  isServed((await request(server.origin, { dispatcher, method: 'PUT', body: stream(), headers })).statusCode);
  const before = server.received.length;
  for (const wrong of [content.length - 1, content.length + 1]) {
    const short = { 'content-length': String(wrong) };
    await t.rejects(chunked.request(server.origin, { method: 'PUT', body: stream(), headers: short }), /length/);
  }
  t.equal(server.received.length, before, 'a length that is wrong ends the request');
  const unknown = chunked.fetch(server.origin, { method: 'PUT', body: stream() });
  await t.rejects(unknown, { code: 'stream-too-long' }, 'without a length a stream is held');
});

t.test('undici', async (t) => {
  const server = await VerifyingServer.start(t);
  const dispatcher = new Agent().compose(signer.interceptor([server.origin]), interceptors.retry({ minTimeout: 1 }));
  t.teardown(() => dispatcher.close());
  const ok = async (path: string, options: Parameters<typeof request>[1] = {}): Promise<VerifyingServer['last']> => {
    const answer = await request(`${server.origin}${path}`, { dispatcher, ...options });
    t.match({ status: answer.statusCode, text: await answer.body.text() }, { status: 200, text: 'served' });
    return server.last;
  };
  const asItIs = { origin: server.origin, path: '/a//b/../c?q=1', method: 'GET' } as const;
  await (await dispatcher.request(asItIs)).body.dump();
  t.match(server.last, { target: '/a//b/../c?q=1' }, 'the path goes as it is');
  t.match(await ok('/', { query: { a: 'b c', d: ['1', '2'] } }), { target: '/?a=b%20c&d=1&d=2' });
  t.match(await ok('/', { method: 'PUT', body: 'text', headers: ['x-amz-meta-a', 'b'] }), {
    body: Buffer.from('text'),
  });
  t.match(await ok('/', { method: 'PUT', body: Buffer.from('bytes'), headers: new Map([['x-amz-meta-a', 'b']]) }), {
    headers: { 'x-amz-meta-a': 'b' },
    body: Buffer.from('bytes'),
  });
  t.match(
    await ok('/', { method: 'PUT', body: Readable.from(parts('a', 'b')), headers: { 'x-amz-meta-list': ['1', '2'] } }),
    {
      headers: { 'x-amz-meta-list': '1, 2' },
      body: Buffer.from('ab'),
    },
  );
  const form = new UndiciForm();
  form.append('file', new Blob(['content']), 'name.txt');
  t.match((await ok('/', { method: 'POST', body: form })).body.toString(), /filename="name.txt"[^]*content/);

  let failures = 2;
  server.before = (_request, response) => {
    failures -= 1;
    if (failures < 0) return false;
    response.writeHead(503).end();
    return true;
  };
  const before = server.arrived.length;
  t.match(await ok('/retried'), { target: '/retried' }, 'retried until it is served');
  t.equal(server.arrived.length, before + 3);
  server.before = () => false;

  const other = await VerifyingServer.start(t);
  const refused = await request(other.origin, { dispatcher });
  t.equal(refused.statusCode, 403);
  t.strictSame(
    other.arrived.map(({ authorization }) => authorization),
    [undefined],
    'other origins get no signature',
  );
  await refused.body.dump();

  const without = new Agent().compose(
    createSigner({ ...SCOPE, credentials: () => Promise.reject(new Error('the vault is sealed')) }).interceptor([
      server.origin,
    ]),
  );
  t.teardown(() => without.close());
  await t.rejects(request(server.origin, { dispatcher: without }), /the vault is sealed/);
});

t.test('node:http', async (t) => {
  const server = await VerifyingServer.start(t);
  const ok = async (options: Parameters<Signer['request']>[1]): Promise<VerifyingServer['last']> => {
    const answer = await signer.request(`${server.origin}/path?q`, options);
    t.match({ status: answer.statusCode, text: await text(answer) }, { status: 200, text: 'served' });
    return server.last;
  };
  t.match(await ok({}), { method: 'GET', target: '/path?q' });
  t.match(await ok({ method: 'PUT', body: 'text' }), { headers: { 'content-length': '4' }, body: Buffer.from('text') });
  t.match(await ok({ method: 'PUT', body: await blobOf('from a file') }), { body: Buffer.from('from a file') });
  t.match(await ok({ method: 'PUT', body: Readable.from(parts('a', 'b')) }), { body: Buffer.from('ab') });
  t.match(await ok({ method: 'POST', headers: { 'x-amz-meta-a': ['1', '2'] } }), {
    headers: { 'content-length': '0' },
  });
  await t.rejects(signer.request('http://127.0.0.1:1'), { code: 'ECONNREFUSED' });
  const broken = Readable.from(
    (async function* () {
      yield* parts('some');
      throw new Error('the disk failed');
    })(),
  );
  await t.rejects(signer.request(server.origin, { method: 'PUT', body: broken }), /the disk failed/);
});

t.test('presigned URLs, and headers for other clients', async (t) => {
  const server = await VerifyingServer.start(t);
  const url = await signer.presign(`${server.origin}/a b?c=d`, { expires: 60 });
  t.equal((await fetch(url)).status, 200);
  t.equal((await fetch(url.replace('a%20b', 'a%20c'))).status, 403);
  const put = await signer.presign(server.origin, { expires: 60, method: 'PUT', headers: { 'x-amz-acl': 'private' } });
  t.equal((await fetch(put, { method: 'PUT' })).status, 403, 'without the header');
  t.equal((await fetch(put, { method: 'PUT', headers: { 'x-amz-acl': 'private' } })).status, 200);
  await t.rejects(signer.presign(server.origin, { expires: 604_801 }), RangeError);
  const form = await signer.presignPost({ bucket: 'photos', fields: { key: 'k' }, expires: 60 });
  t.strictSame(Object.keys(form).sort(), [
    'key',
    'policy',
    'x-amz-algorithm',
    'x-amz-credential',
    'x-amz-date',
    'x-amz-signature',
  ]);
  await t.rejects(signer.presignPost({ bucket: 'photos', fields: {}, expires: 60 }), TypeError);
  const headers = await signer.sign(`${server.origin}/x`, { method: 'PUT', body: 'y' });
  const sent = await fetch(`${server.origin}/x`, {
    method: 'PUT',
    body: 'y',
    headers: headers.map(([n, v]) => [n, v]),
  });
  t.equal(sent.status, 200);
});

t.test('redirects: signed anew within the origin, without any signature to another', async (t) => {
  const server = await VerifyingServer.start(t);
  const other = await VerifyingServer.start(t);
  other.before = (request, response) => {
    if (request.url === '/on') response.writeHead(302, { location: '/elsewhere' }).end();
    else if (request.url === '/back') response.writeHead(302, { location: `${server.origin}/evil` }).end();
    else response.end('unsigned');
    return true;
  };
  const redirects: Record<string, readonly [number, string]> = {
    '/within': [307, '/there'],
    '/see-other': [303, '/there'],
    '/moved-post': [301, '/there'],
    '/away': [302, `${other.origin}/elsewhere`],
    '/away-and-on': [302, `${other.origin}/on`],
    '/away-and-back': [302, `${other.origin}/back`],
    '/loop': [302, '/loop'],
    '/file': [302, 'file:///etc/passwd'],
  };
  server.answer = ({ url = '' }, response) => {
    const [status, location] = redirects[url] ?? [200, ''];
    response.writeHead(status, status === 200 ? {} : { location }).end(status === 200 ? 'served' : '');
  };
  const customer = { 'x-amz-server-side-encryption-customer-key': 'a2V5', cookie: 'a=b', 'x-other': 'kept' };
  const put = { method: 'PUT', body: 'kept', headers: customer };
  t.equal(await (await signer.fetch(`${server.origin}/within`, put)).text(), 'served');
  t.match(server.last, { method: 'PUT', target: '/there', body: Buffer.from('kept') });
  await signer.fetch(`${server.origin}/see-other`, put);
  t.match(server.last, { method: 'GET', target: '/there', body: Buffer.alloc(0) });
  t.notOk('content-type' in server.last.headers);
  await signer.fetch(`${server.origin}/moved-post`, { ...put, method: 'POST' });
  t.match(server.last, { method: 'GET', target: '/there' });
  await signer.fetch(`${server.origin}/moved-post`, { method: 'HEAD' });
  t.match(server.last, { method: 'HEAD', target: '/there' });

  const token = createSigner({ ...SCOPE, credentials: { ...CREDENTIALS, sessionToken: 'token' } });
  t.equal((await token.fetch(server.origin)).headers.get('x-keyd-reason'), 'session-token-refused', 'a token is sent');
  t.equal(server.arrived.at(-1)?.['x-amz-security-token'], 'token');
  t.equal(await (await signer.fetch(`${server.origin}/away`, { headers: customer })).text(), 'unsigned');
  const arrived = other.arrived[0] ?? {};
  t.equal(arrived['x-other'], 'kept');
  const secret = Object.keys(arrived).filter((name) => /^(?:authorization|cookie|x-amz-)/.test(name));
  t.strictSame(secret, [], 'no signature, token or customer key leaves the origin');
  other.arrived.length = 0;
  t.equal(await (await signer.fetch(`${server.origin}/away-and-on`)).text(), 'unsigned');
  const signed = other.arrived.filter(({ authorization }) => authorization !== undefined);
  t.strictSame([other.arrived.length, signed], [2, []], 'nor does it on the way from there');
  const back = await signer.fetch(`${server.origin}/away-and-back`);
  t.equal(back.headers.get('x-keyd-reason'), 'missing-authentication', 'nobody has us sign what they choose');

  await t.rejects(signer.fetch(`${server.origin}/loop`), { code: 'too-many-redirects' });
  await t.rejects(signer.fetch(`${server.origin}/file`), /a redirect to file:/);
  await t.rejects(signer.fetch(`${server.origin}/within`, { redirect: 'error' }));
  t.equal((await signer.fetch(`${server.origin}/within`, { redirect: 'manual' })).status, 307);

  const dispatcher = new Agent().compose(
    signer.interceptor([server.origin]),
    interceptors.redirect({ maxRedirections: 5 }),
  );
  t.teardown(() => dispatcher.close());
  other.arrived.length = 0;
  const dispatched = await request(`${server.origin}/away`, { dispatcher });
  t.equal(await dispatched.body.text(), 'unsigned');
  t.equal(other.arrived[0]?.authorization, undefined);
});

t.test('a clock that is wrong is set by the server, once', async (t) => {
  const server = await VerifyingServer.start(t, { now: () => Date.now() + 26 * HOUR });
  const fresh = (): Signer => createSigner({ ...SCOPE, credentials: CREDENTIALS });
  const late = fresh();
  t.equal((await late.fetch(server.origin, { method: 'PUT', body: 'x' })).status, 200);
  t.equal(server.arrived.length, 2, 'one attempt more');
  t.equal((await late.fetch(server.origin)).status, 200);
  t.equal(server.arrived.length, 3, 'and none from then on');
  t.equal((await fresh().request(server.origin, { method: 'HEAD' })).statusCode, 200, 'node:http');
  const dispatcher = new Agent().compose(fresh().interceptor([server.origin]));
  t.teardown(() => dispatcher.close());
  t.equal((await request(server.origin, { dispatcher, method: 'PUT', body: 'x' })).statusCode, 200, 'undici');
  t.equal(
    (await fetch(await late.presign(server.origin, { expires: 60 }))).status,
    200,
    'presigned with the right time',
  );

  const before = server.arrived.length;
  const streaming = createSigner({ ...SCOPE, credentials: CREDENTIALS, payload: 'unsigned' });
  const stream = await streaming.fetch(server.origin, { method: 'PUT', body: Readable.from(parts('once')) });
  t.equal(stream.status, 403, 'a stream cannot be sent twice');
  t.equal(server.arrived.length, before + 1);

  const wrong = createSigner({ ...SCOPE, credentials: { ...CREDENTIALS, secretAccessKey: 'wrong' } });
  const there = await VerifyingServer.start(t);
  t.equal((await wrong.fetch(there.origin)).status, 403);
  t.equal(there.arrived.length, 1, 'a refusal for another reason is not tried again');
  const narrow = await VerifyingServer.start(t, { clockSkewSeconds: 5, now: () => Date.now() + 60_000 });
  t.equal((await fresh().fetch(narrow.origin)).status, 200, 'a minute is enough where the server tells the reason');
});

t.test('credentials: a value, a provider, the environment', async (t) => {
  const server = await VerifyingServer.start(t);
  let asked = 0;
  const provider = (): Promise<typeof CREDENTIALS> => Promise.resolve(((asked += 1), { ...CREDENTIALS }));
  const provided = createSigner({ ...SCOPE, credentials: provider });
  t.equal((await provided.fetch(server.origin)).status, 200);
  t.equal((await provided.fetch(server.origin)).status, 200);
  t.equal(asked, 2, 'asked for each signature');
  const env = { AWS_ACCESS_KEY_ID: ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: SECRET };
  t.strictSame(credentialsFromEnvironment(env), CREDENTIALS);
  t.match(credentialsFromEnvironment({ ...env, AWS_SESSION_TOKEN: 't' }), { sessionToken: 't' });
  t.throws(() => credentialsFromEnvironment({}), SigningError);
  t.throws(() => credentialsFromEnvironment({ AWS_ACCESS_KEY_ID: 'x' }), { code: 'credentials-missing' });
});

t.test('what no verifier would accept is refused before it is sent', async (t) => {
  const server = await VerifyingServer.start(t);
  const wrong: readonly (readonly [RequestInit, unknown])[] = [
    [{ headers: { 'x-amz-meta-a': 'ü' } }, { code: 'header-not-ascii', message: /x-amz-meta-a/ }],
    [{ headers: { authorization: 'Bearer x' } }, /remove the header authorization/],
    [{ headers: { 'x-amz-date': 'x' } }, /remove the header x-amz-date/],
  ];
  for (const [init, error] of wrong) await t.rejects(signer.fetch(server.origin, init), error as RegExp);
  await t.rejects(signer.fetch(`${server.origin}/?a=%zz`), /"%"/);
  const nowhere = createSigner({ ...SCOPE, credentials: CREDENTIALS, region: 'EU' });
  await t.rejects(nowhere.fetch(server.origin), /region/);
  t.strictSame(server.arrived, []);
});
