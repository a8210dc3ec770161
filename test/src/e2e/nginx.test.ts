import { EMPTY_BODY_SHA256, presignRequest, sha256Hex, signRequest } from '@sigv4-keyd/sigv4-core';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { RunningStack } from '@sigv4-keyd/local-stack';
import t from 'tap';

/** deploy/fronts/nginx.conf as it stands, before an application, asking an edge of the running stack. */
function nginxMissing(): string | false {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'NGINX IS NOT INSTALLED HERE: its configuration was not tested';
  }
}

const PORT = 21_599;
const HOST = `127.0.0.1:21510`;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[],
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port: PORT, method, path: target, headers: headers.flat() });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text }));
    });
    outgoing.end(body);
  });
}

t.test('nginx auth_request', { skip: nginxMissing(), timeout: 180_000 }, async (t) => {
  const stack = await RunningStack.start(21_500);
  t.teardown(() => stack.stop());
  const application = createServer((request, response) => {
    response.end(JSON.stringify({ target: request.url, headers: request.headers }));
  });
  await once(application.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => application.close());
  const address = application.address();
  const applicationPort = typeof address === 'object' ? address?.port : undefined;

  const edge = stack.facts.edges.find(({ region, service }) => region === 'us-east-1' && service === 's3');
  const folder = t.testdir();
  const site = readFileSync('deploy/fronts/nginx.conf', 'utf8')
    .replace('KEYD_FORWARD_AUTH;', `${new URL(edge?.forwardAuth ?? '').host};`)
    .replace('listen LISTEN', `listen 127.0.0.1:${PORT}`)
    .replace('APPLICATION', `127.0.0.1:${applicationPort ?? 0}`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n');
  const configuration = join(folder, 'nginx.conf');
  writeFileSync(
    configuration,
    `daemon off; pid ${folder}/pid; error_log stderr warn;\nevents {}\nhttp { access_log off; ${temporary}\n${site} }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', configuration], { stdio: ['ignore', 'inherit', 'inherit'] });
  t.teardown(async () => {
    const gone = once(nginx, 'exit');
    nginx.kill('SIGTERM');
    await gone;
  });
  await listening(PORT);

  const { accessKeyId, secretAccessKey } = stack.facts;
  const scope = { region: 'us-east-1', service: 's3' };
  const sign = (method: string, target: string, options: { now?: number; region?: string; body?: string } = {}) => {
    const headers = [['Host', HOST]] as const;
    const sha256 = options.body === undefined ? EMPTY_BODY_SHA256 : sha256Hex(Buffer.from(options.body));
    const signing = { ...scope, now: options.now ?? Date.now(), payload: { kind: 'exact', sha256 } } as const;
    const signed = signRequest(
      { method, target, headers },
      { accessKeyId, secretAccessKey },
      {
        ...signing,
        ...(options.region !== undefined && { region: options.region }),
      },
    );
    return [...headers, ...signed.headers];
  };

  await t.test('a verified request reaches the application as it was signed', async (t) => {
    const target = '/bucket/a%2Fb//c/../%C3%BC?x=1&y=%2B';
    const answer = await ask('GET', target, sign('GET', target));
    t.equal(answer.status, 200);
    t.match(JSON.parse(answer.body), { target, headers: { 'x-keyd-access-key-id': accessKeyId } });
    t.notMatch(answer.body, 'authorization', 'the signature stays at the front');
    const presigned = presignRequest(
      { method: 'GET', target: '/bucket/k', headers: [['Host', HOST]] },
      { accessKeyId, secretAccessKey },
      { ...scope, now: Date.now(), expiresSeconds: 60 },
    );
    t.equal((await ask('GET', presigned.target, [['Host', HOST]])).status, 200, 'presigned too');
  });

  await t.test('others do not, and hear why', async (t) => {
    const signed = sign('GET', '/bucket/k');
    const refused: readonly (readonly [string, Promise<Answer>])[] = [
      ['missing-authentication', ask('GET', '/bucket/k', [['Host', HOST]])],
      ['signature-mismatch', ask('GET', '/bucket/other', signed)],
      ['signature-mismatch', ask('DELETE', '/bucket/k', signed)],
      ['wrong-region', ask('GET', '/bucket/k', sign('GET', '/bucket/k', { region: 'eu-west-1' }))],
      ['request-too-old', ask('GET', '/bucket/k', sign('GET', '/bucket/k', { now: Date.now() - 16 * 60_000 }))],
      ['body-not-seen', ask('PUT', '/bucket/k', sign('PUT', '/bucket/k', { body: 'x' }), 'x')],
    ];
    for (const [reason, answer] of refused) {
      t.match(await answer, { status: 403, headers: { 'x-keyd-reason': reason } }, reason);
    }
  });

  await t.test('what a client says of itself is not believed', async (t) => {
    const lies = [
      ['X-Original-Method', 'GET'],
      ['X-Original-URI', '/bucket/k'],
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Uri', '/bucket/k'],
      ['X-Forwarded-Host', HOST],
    ] as const;
    const signed = sign('GET', '/bucket/k');
    t.equal(
      (await ask('DELETE', '/bucket/other', [...signed, ...lies])).status,
      403,
      'another request behind the lies',
    );
    const spoofed = await ask('GET', '/bucket/k', [...signed, ['x-keyd-access-key-id', 'AKIASOMEBODYELSE']]);
    t.match(JSON.parse(spoofed.body), { headers: { 'x-keyd-access-key-id': accessKeyId } }, 'a spoofed identity');
  });
});

/** Resolves when something listens on the port; fails after ten seconds. */
async function listening(port: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port });
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    if (Date.now() > deadline) throw new Error(`nothing listens on ${port}`);
  }
}
