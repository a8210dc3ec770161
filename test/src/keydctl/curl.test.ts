import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ACCESS_KEY_ID, SECRET, VerifyingServer } from '../sigv4-client/verifying-server.js';
import { keydctl, type Call, type Result } from './keydctl-under-test.js';

const ENV = { AWS_ACCESS_KEY_ID: ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: SECRET };
const SCOPE = ['--region', 'eu-west-1', '--service', 's3'];

function curl(args: readonly string[], call: Call = {}): Promise<Result> {
  return keydctl(['curl', ...SCOPE, ...args], { env: ENV, ...call });
}

function listening(t: Test, server: Server): Promise<string> {
  t.teardown(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

t.test('what is sent', async (t) => {
  const server = await VerifyingServer.start(t);
  const { origin } = server;
  const folder = t.testdir({ 'data.txt': 'a\r\nb\n', 'up load.bin': 'x'.repeat(100_000) });
  const [data, upload] = [join(folder, 'data.txt'), join(folder, 'up load.bin')];
  const ok = async (args: readonly string[], call: Call = {}): Promise<VerifyingServer['last']> => {
    const { code, out, err } = await curl(args, call);
    t.equal(code, 0, err);
    t.equal(out, 'served');
    return server.last;
  };
  t.match(await ok([`${origin}/a%20b?c=d+e`]), { method: 'GET', target: '/a%20b?c=d+e' });
  t.match(await ok(['-X', 'DELETE', '-H', 'X-Amz-Meta-A: b', '-H', 'x-other;', origin]), {
    method: 'DELETE',
    headers: { 'x-amz-meta-a': 'b', 'x-other': '' },
  });
  t.match(await ok(['-d', 'a=b', '-d', `@${data}`, origin]), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from('a=b&ab'),
  });
  t.match(await ok(['--data-binary', `@${data}`, '-H', 'content-type: text/plain', origin]), {
    headers: { 'content-type': 'text/plain' },
    body: Buffer.from('a\r\nb\n'),
  });
  t.match(await ok(['-T', upload, `${origin}/folder/`]), {
    method: 'PUT',
    target: '/folder/up%20load.bin',
    body: readFileSync(upload),
  });
  t.match(await ok(['-T', upload, '--payload', 'chunked', `${origin}/k`]), { body: readFileSync(upload) });
  t.match(String(server.arrived.at(-1)?.authorization), 'x-amz-decoded-content-length');
  t.match(await ok(['-T', '-', `${origin}/k`], { input: 'from a pipe' }), { body: Buffer.from('from a pipe') });
  t.match((await curl(['-I', origin])).out, /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/);
  t.equal(server.last.method, 'HEAD');
});

t.test('what is printed', async (t) => {
  const server = await VerifyingServer.start(t);
  const { origin } = server;
  const file = join(t.testdir(), 'answer');
  t.match(await curl(['-o', file, origin]), { code: 0, out: '' });
  t.equal(readFileSync(file, 'utf8'), 'served');
  t.match((await curl(['-i', origin])).out, /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nserved$/);
  const { err } = await curl(['-v', '-d', 'x', origin], { env: { ...ENV, AWS_SESSION_TOKEN: 'a-token' } });
  t.match(err, /^> POST \/ HTTP\/1.1\n[^]*> authorization: AWS4-HMAC-SHA256 [^]*\n>\n< HTTP\/1.1 400[^]*\n<\n$/);
  t.match(err, '> x-amz-security-token: [not shown]');
  t.notMatch(err, /a-token|a-secret/);
  const url = (await curl(['--presign', '60', '-X', 'PUT', `${origin}/k`])).out.trim();
  t.equal((await fetch(url, { method: 'PUT' })).status, 200);
});

t.test('exit codes are those of curl', async (t) => {
  const server = await VerifyingServer.start(t);
  const refused = await keydctl(['curl', ...SCOPE, '-f', server.origin], {
    env: { ...ENV, AWS_SECRET_ACCESS_KEY: 'no' },
  });
  t.match(refused, { code: 22, out: '', err: /the answer is 403/ });
  const shown = await keydctl(['curl', ...SCOPE, server.origin], { env: { ...ENV, AWS_SECRET_ACCESS_KEY: 'no' } });
  t.match(shown, { code: 0, out: /SignatureDoesNotMatch/ }, 'without --fail a refusal is an answer');
  const closing = await listening(
    t,
    createServer((socket) => void socket.once('data', () => socket.destroy())),
  );
  const cut = await listening(
    t,
    createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'));
    }),
  );
  const stalled = await listening(
    t,
    createServer(
      (socket) => void socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1')),
    ),
  );
  const silent = await listening(
    t,
    createServer(() => undefined),
  );
  const file = join(t.testdir(), 'file');
  writeFileSync(file, '');
  const cases: readonly (readonly [code: number, args: readonly string[]])[] = [
    [2, ['--no-such-option', server.origin]],
    [2, []],
    [2, ['-m', 'x', server.origin]],
    [2, ['-d', 'x', '-T', file, server.origin]],
    [2, ['-H', 'no colon', server.origin]],
    [2, ['-H', 'authorization: mine', server.origin]],
    [2, ['http://user:password@127.0.0.1/']],
    [3, ['ftp://127.0.0.1/']],
    [3, ['no url']],
    [6, ['http://no-such-host.invalid/']],
    [7, ['http://127.0.0.1:1/']],
    [18, [cut]],
    [23, ['-o', join(file, 'below-a-file'), server.origin]],
    [26, ['-T', join(file, 'none'), server.origin]],
    [26, ['-d', '@/no/such/file', server.origin]],
    [28, ['-m', '0.2', silent]],
    [28, ['-m', '0.5', stalled]],
    [52, [closing]],
  ];
  for (const [code, args] of cases) {
    const { code: ended, err } = await curl(args);
    t.equal(ended, code, `${args.join(' ')}: ${err}`);
    t.match(err, /^keydctl: error: .*\.\n$/);
    t.notMatch(err, 'password@');
  }
  t.match(await keydctl(['curl', ...SCOPE, server.origin]), { code: 2, err: /AWS_ACCESS_KEY_ID/ });
  t.match((await keydctl(['curl', '--help'])).out, /22 +the status is 400 or above/);
});

t.test('region and service: told, or by the host, or by the environment', async (t) => {
  const presigned = async (args: readonly string[], env: Record<string, string> = {}): Promise<string | undefined> => {
    const { out, err } = await keydctl(['curl', '--presign', '60', ...args], { env: { ...ENV, ...env } });
    return /%2F[0-9]{8}%2F(.*)%2Faws4_request/.exec(out)?.[1]?.replace('%2F', '/') ?? err;
  };
  t.equal(await presigned(['https://b.s3.eu-west-1.example.com/k']), 'eu-west-1/s3');
  t.equal(await presigned(['https://x.execute-api.us-east-1.amazonaws.com/']), 'us-east-1/execute-api');
  t.equal(await presigned(['https://b.s3.dualstack.eu-central-1.amazonaws.com/']), 'eu-central-1/s3');
  t.equal(await presigned(['https://s3-us-west-2.amazonaws.com/']), 'us-west-2/s3');
  t.equal(await presigned(['https://bucket.s3.amazonaws.com/']), 'us-east-1/s3');
  t.equal(await presigned(['--service', 'sts', 'https://h/'], { AWS_REGION: 'r-1' }), 'r-1/sts');
  t.equal(await presigned(['--region', 'r-2', 'https://s3.eu-west-1.example.com/']), 'r-2/s3');
  t.match(await presigned(['https://h/']), /give --region/);
  t.match(await presigned(['--region', 'r-1', 'https://h/']), /give --service/);
});

t.test('keydctl explain reads what -v told', async (t) => {
  const server = await VerifyingServer.start(t);
  const wrong = { ...ENV, AWS_SECRET_ACCESS_KEY: `${SECRET}\n` };
  const { err } = await keydctl(['curl', ...SCOPE, '-v', `${server.origin}/k?a=b`], { env: wrong });
  const { out } = await keydctl(['explain', '-'], { input: err, env: ENV });
  t.match(out, 'line feed at its end');
  t.match(out, 'signature-mismatch');
});
