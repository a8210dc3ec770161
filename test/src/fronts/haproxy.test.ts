import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { signed } from '../edge-verifier/client.js';
import { checkFront } from './front-cases.js';
import { missing, startFront, type FrontProgram } from './front-under-test.js';

const CONFIGURATION = readFileSync('deploy/fronts/haproxy.cfg', 'utf8');
const SCRIPT = readFileSync('deploy/fronts/keyd.lua', 'utf8');

function haproxyWith(script: string): FrontProgram {
  return {
    program: 'haproxy',
    edge: {},
    configure({ folder, listen, edge, application }) {
      const text = CONFIGURATION.replaceAll('EDGE_ADDRESS', edge)
        .replaceAll('LISTEN_ADDRESS', listen)
        .replaceAll('APPLICATION_ADDRESS', application);
      writeFileSync(join(folder, 'haproxy.cfg'), text);
      writeFileSync(join(folder, 'keyd.lua'), script);
      return ['-db', '-f', join(folder, 'haproxy.cfg')];
    },
  };
}

t.test('HAProxy, deploy/fronts/haproxy.cfg as it stands', { skip: missing('haproxy', '-v') }, async (t) => {
  const front = await startFront(t, haproxyWith(SCRIPT));
  await checkFront(t, front, { keepsStatus: true, keepsBody: true, mostConnections: 20 });
});

t.test(
  'HAProxy goes on after a script that failed: nothing is served then',
  { skip: missing('haproxy', '-v') },
  async (t) => {
    const front = await startFront(
      t,
      haproxyWith("core.register_action('keyd', { 'http-req' }, function() error('broken') end, 0)"),
    );
    const reply = await front.ask(signed());
    t.match(reply, { status: 503, headers: { 'x-keyd-reason': 'front-without-edge' } });
    t.same(front.served, []);
  },
);
