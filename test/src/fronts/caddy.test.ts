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
      const site = CONFIGURATION.replace(/^LISTEN/m, `http://:${listen.split(':')[1] ?? ''}`)
        .replace('forward_auth KEYD_FORWARD_AUTH', `forward_auth ${edge}`)
        .replace('reverse_proxy APPLICATION', `reverse_proxy ${application}`);
      writeFileSync(join(folder, 'Caddyfile'), `{\n\tadmin off\n}\n${site}`);
      return ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
    },
  });
  await checkFront(t, front, { keepsStatus: true, keepsBody: true, mostConnections: 1 });
});
