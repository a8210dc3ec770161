import t from 'tap';
import { send, signed } from './client.js';
import { startEdge } from './edge-under-test.js';

t.test('a verified request is served, its target byte for byte', async (t) => {
  const { proxy, upstream } = await startEdge(t);
  const targets = [
    '/',
    '/a%2Fb',
    '/a//b/',
    '//double',
    '/../up/./here',
    '/caf%C3%A9/%e2%82%ac',
    '/a%20b+c',
    '/x?empty=&flag&b=2&a=1&a=0',
    '/x?q=a+b%2Bc',
    '/~tilde/(paren)!*\'/;semi,comma',
    '/?',
    '/a?b?c=/d',
  ];
  for (const target of targets) {
    const reply = await send(proxy, signed({ target }));
    t.equal(reply.status, 200, `${target} is served`);
    t.ok(upstream.wire.includes(`GET ${target} HTTP/1.1\r\n`), `${target} arrives as it was`);
    upstream.wire = '';
  }
});
