import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkFront } from './front-cases.js';
import { missing, startFront } from './front-under-test.js';

const CONFIGURATION = readFileSync('deploy/fronts/Caddyfile', 'utf8');

t.test('Caddy forward_auth, deploy/fronts/Caddyfile as it stands', { skip: missing('caddy', 'version') }, async (t) => {
  const front = await startFront(t, {
    program: 'caddy',
    edge: { KEYD_FORWARD_AUTH_FROM: 'x-forwarded' },
    configure({ folder, listen, edge, application }) {
      const site = CONFIGURATION.replaceAll('LISTEN_ADDRESS', `http://:${listen.split(':')[1] ?? ''}`)
        .replaceAll('EDGE_ADDRESS', edge)
        .replaceAll('APPLICATION_ADDRESS', application);
      writeFileSync(join(folder, 'Caddyfile'), `{\n\tadmin off\n}\n${site}`);
      return ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
    },
  });
  await checkFront(t, front, { keepsStatus: true, keepsBody: true, mostConnections: 1 });
});
