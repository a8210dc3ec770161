import t from 'tap';
import { sendRaw, signed, wireOf } from './client.js';
import { startEdge } from './edge-under-test.js';

/** A signed request with more headers, which ends its connection. */
function wire(extra: readonly string[]): string {
  return wireOf(signed(), ['connection: close', ...extra]);
}

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
