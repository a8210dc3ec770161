import { connect } from 'node:net';
import t from 'tap';
import { HOST, sendRaw, signed, wireOf } from './client.js';
import { startEdge } from './edge-under-test.js';

/** What `wireOf` gives, for a request that ends its connection. */
function wire(extra: readonly string[] = [], body = '', draft: Parameters<typeof signed>[0] = {}): string {
  return wireOf(signed(draft), ['connection: close', ...extra], body);
}

const PUT = { method: 'PUT', body: 'abc' } as const;
const chunkedAbc = '3\r\nabc\r\n0\r\n\r\n';

t.test('messages that two servers could read in two ways, or that are no plain request, go nowhere', async (t) => {
  const { proxy, upstream, log } = await startEdge(t, { env: { KEYD_PAYLOAD_MODES: 'exact,body,unsigned' } });
  const control = await sendRaw(proxy, wire(['content-length: 3'], 'abc', PUT));
  t.match(control, /^HTTP\/1.1 200 /, 'the control is served');
  upstream.wire = '';
  const cases: Readonly<Record<string, string>> = {
    'content-length and transfer-encoding': wire(['content-length: 3', 'transfer-encoding: chunked'], chunkedAbc, PUT),
    'transfer-encoding and content-length': wire(['transfer-encoding: chunked', 'content-length: 3'], chunkedAbc, PUT),
    'two content-lengths': wire(['content-length: 3', 'content-length: 4'], 'abcd', PUT),
    'two equal content-lengths': wire(['content-length: 3', 'content-length: 3'], 'abc', PUT),
    'a list of lengths': wire(['content-length: 3, 3'], 'abc', PUT),
    'a signed length': wire(['content-length: +3'], 'abc', PUT),
    'a hexadecimal length': wire(['content-length: 0x3'], 'abc', PUT),
    'a negative length': wire(['content-length: -1'], 'abc', PUT),
    'a coding that is not chunked': wire(['transfer-encoding: gzip'], chunkedAbc, PUT),
    'a coding before chunked': wire(['transfer-encoding: gzip, chunked'], chunkedAbc, PUT),
    'a coding after chunked': wire(['transfer-encoding: chunked, identity'], chunkedAbc, PUT),
    'chunked twice': wire(['transfer-encoding: chunked', 'transfer-encoding: chunked'], chunkedAbc, PUT),
    'chunked misspelt': wire(['transfer-encoding: xchunked'], chunkedAbc, PUT),
    'a space before the colon': wire(['transfer-encoding : chunked'], chunkedAbc, PUT),
    'a bad chunk size': wire(['transfer-encoding: chunked'], 'zz\r\nabc\r\n0\r\n\r\n', PUT),
    'chunked in HTTP/1.0': wire(['transfer-encoding: chunked'], chunkedAbc, PUT).replace('HTTP/1.1', 'HTTP/1.0'),
    'two hosts': wire([`host: ${HOST}`]),
    'another second host': wire(['host: evil.example']),
    'no host': wire().replace(/host: .*\r\n/, ''),
    'a folded header': wire(['x-folded: one\r\n two']),
    'a folded first header': wire().replace('\r\n', '\r\n folded: x\r\n'),
    'a NUL in a header': wire(['x-nul: a\u0000b']),
    'a bare CR in a header': wire(['x-cr: a\rb']),
    'a bare LF in a header': wire(['x-lf: a\nevil: b']),
    'a header without a name': wire([': x']),
    'a header name with a space': wire(['x y: z']),
    'a NUL in the target': wire().replace('GET /', 'GET /\u0000'),
    'a space in the target': wire().replace('GET /', 'GET /a b'),
    'a fragment': wire().replace('GET /', 'GET /#a'),
    'bytes above ASCII in the target': wire().replace('GET /', 'GET /\u00c3\u00a9'),
    'half a percent encoding': wire().replace('GET /', 'GET /%4'),
    'an absolute target': wire().replace('GET /', `GET http://${HOST}/`),
    'an authority as target': wire().replace('GET /', `GET ${HOST}:80`),
    'an asterisk as target': wire().replace('GET /', 'OPTIONS *'),
    'CONNECT': wire().replace('GET /', `CONNECT ${HOST}:443`),
    'TRACE': wire([], '', { method: 'TRACE' }),
    'an unknown method': wire().replace('GET', 'FROB'),
    'a method in lower case': wire().replace('GET', 'get'),
    'an upgrade': wireOf(signed(), ['connection: upgrade, close', 'upgrade: websocket']),
    'an upgrade to HTTP/2': wireOf(signed(), ['connection: upgrade, close', 'upgrade: h2c']),
    'HTTP/2 in the open': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/0.9': 'GET /\r\n\r\n',
    'another expectation': wire(['expect: 200-maybe']),
    'headers that are too large': wire([`x-large: ${'x'.repeat(17 * 1024)}`]),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const answer = await sendRaw(proxy, bytes);
    // Where a request is under way already, the connection ends without a word that could be taken for its answer.
    t.match(answer, /^(?:HTTP\/1.1 [45]\d\d |$)/, name);
    t.equal(upstream.wire, '', `${name}: nothing sent on`);
  }
  t.equal(log.filter((line) => line.includes('request-accepted')).length, 1, 'the control alone was accepted');
});

t.test('what cannot be read as a request is answered in the shape of the others', async (t) => {
  const { proxy } = await startEdge(t);
  const answer = await sendRaw(proxy, 'what is this\r\n\r\n');
  t.match(answer, /^HTTP\/1.1 400 Bad Request\r\n/);
  t.match(answer, /x-keyd-reason: malformed-http\r\n/);
  t.match(answer, /<Code>InvalidRequest<\/Code>/);
  const large = await sendRaw(proxy, wire([`x-large: ${'x'.repeat(17 * 1024)}`]));
  t.match(large, /^HTTP\/1.1 431 .*x-keyd-reason: headers-too-large/s);
});

t.test('thousands of small headers are all seen', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const many = Array.from({ length: 2_100 }, () => 'a:');
  t.match(await sendRaw(proxy, wire([...many, 'x-amz-acl: public-read'])), /x-keyd-reason: header-not-signed/);
  t.equal(upstream.wire, '', 'the last one, too: Node would drop it at 2,000');
});

t.test('a request behind another on one connection is verified for itself', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const [host, port] = proxy.split(':');
  const socket = connect(Number(port), host ?? '');
  let answers = '';
  socket.on('data', (chunk) => (answers += chunk.toString('latin1')));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(wireOf(signed({ target: '/first' })) + `GET /second HTTP/1.1\r\nhost: ${HOST}\r\nconnection: close\r\n\r\n`);
  await closed;
  t.match(answers, /^HTTP\/1.1 200 .*HTTP\/1.1 403 .*missing-authentication/s);
  t.strictSame(upstream.requests.map(({ target }) => target), ['/first']);
});

t.test('trailers of a chunked body do not become headers', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const trailing = '3\r\nabc\r\n0\r\nx-keyd-access-key-id: AKIASPOOFED\r\nx-amz-acl: public-read\r\n\r\n';
  t.match(await sendRaw(proxy, wire(['transfer-encoding: chunked'], trailing, PUT)), /^HTTP\/1.1 200 /);
  t.notMatch(upstream.wire, /SPOOFED|public-read/);
});
