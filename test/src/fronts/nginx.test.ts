import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkFront } from './front-cases.js';
import { missing, startFront } from './front-under-test.js';

const CONFIGURATION = readFileSync('deploy/fronts/nginx.conf', 'utf8');

t.test('nginx auth_request, deploy/fronts/nginx.conf as it stands', { skip: missing('nginx', '-v') }, async (t) => {
  const front = await startFront(t, {
    program: 'nginx',
    edge: {},
    configure({ folder, listen, edge, application }) {
      const site = CONFIGURATION.replaceAll('EDGE_ADDRESS', edge)
        .replaceAll('LISTEN_ADDRESS', listen)
        .replaceAll('APPLICATION_ADDRESS', application);
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${folder}/${name};`)
        .join('\n');
      const main = `daemon off; pid ${folder}/pid; error_log stderr warn;\nevents {}\n`;
      writeFileSync(join(folder, 'nginx.conf'), `${main}http { access_log off; ${temporary}\n${site} }`);
      return ['-p', folder, '-c', join(folder, 'nginx.conf')];
    },
  });
  await checkFront(t, front, { keepsStatus: false, keepsBody: false, mostConnections: 1 });
});
