import { existsSync, readFileSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { StackFacts } from '@sigv4-keyd/local-stack';
import aws4 from 'aws4';
import t from 'tap';
import { keydctlJson } from '../keydctl/keydctl-under-test.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { childrenOf, runReset, runTour, StackProcess, startLikeNpm, untilGone } from './stack-process.js';

// Below the range from which the system gives ports of its own accord; far enough apart for two stacks.
const PORT_BASE = 20_000 + (process.pid % 100) * 100;
const dir = join(t.testdir(), 'state');
const args = ['--dir', dir, '--port-base', String(PORT_BASE)];

// Seven services start three times here; what hangs is still told.
t.setTimeout(300_000);
t.teardown(() => runReset(t, ['--dir', dir]));

interface Answer {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

interface Sent {
  readonly region?: string;
  readonly path?: string;
  readonly body?: string;
  readonly method?: string;
}

/** Signs with a signer that is not ours, and sends to the address. */
async function send(
  facts: StackFacts,
  address: string,
  { region, path = '/b/k', body, method }: Sent,
): Promise<Answer> {
  const service = facts.edges.find(({ proxy }) => proxy === address)?.service ?? 's3';
  const { host } = new URL(address);
  const unsigned = { host, path, service, method: method ?? 'GET', headers: {}, ...(body !== undefined && { body }) };
  const credentials = { accessKeyId: facts.accessKeyId, secretAccessKey: facts.secretAccessKey };
  const signed = region === undefined ? { headers: {} } : aws4.sign({ ...unsigned, region }, credentials);
  const request = httpRequest(address, { path, method: unsigned.method, agent: false, headers: { ...signed.headers } });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
  const reason = answer.headers['x-keyd-reason'];
  return {
    status: answer.statusCode ?? 0,
    reason: typeof reason === 'string' ? reason : undefined,
    headers: answer.headers,
    body: await text(answer),
  };
}

const edgeOf = (facts: StackFacts, region: string, service: string): StackFacts['edges'][number] =>
  facts.edges.find((edge) => edge.region === region && edge.service === service)!;

t.test('one line of JSON, and a system that verifies', async (t) => {
  const stack = StackProcess.start(t, [...args, '--json'], { SECRET_OF_THE_SHELL: 'must not reach a service' });
  const facts = await stack.facts();
  t.match(stack.err, /✓ certificates .*\n.*✓ PostgreSQL .*\n.*✓ master-keyd/, 'progress goes elsewhere');
  t.match(stack.err, /signed for us-east-1, at the edge of eu-west-1: refused: wrong-region/);
  t.match(stack.err, /unsigned, at the edge of us-east-1: refused: missing-authentication/);
  t.match(stack.err, /disabled before its first use: refused: access-key-disabled/);
  t.match(stack.err, /access key that was revoked, .*: refused: scope-revoked .*, \d+\.\d\d s after it was revoked/);
  t.equal(stack.out.trimEnd().split('\n').length, 1, 'one line');
  const scopes = facts.edges.map(({ region, service }) => `${region}/${service}`);
  t.same(scopes, ['us-east-1/s3', 'us-east-1/execute-api', 'eu-west-1/s3', 'eu-west-1/execute-api']);

  await t.test('each edge serves its own scope, and no other', async (t) => {
    for (const edge of facts.edges) {
      const path = '/bucket/hello%20there?list-type=2';
      const { status, body } = await send(facts, edge.proxy, {
        region: edge.region,
        path,
        method: 'POST',
        body: 'hello',
      });
      t.equal(status, 200, body);
      t.match(JSON.parse(body), {
        method: 'POST',
        target: path,
        headers: { 'x-keyd-access-key-id': facts.accessKeyId, 'x-keyd-region': edge.region, authorization: undefined },
        body: { length: 5, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' },
      });
      const elsewhere = edge.region === 'us-east-1' ? 'eu-west-1' : 'us-east-1';
      const refused = await send(facts, edge.proxy, { region: elsewhere });
      t.match(refused, { reason: 'wrong-region' });
      t.ok(refused.status >= 400);
      t.match(await send(facts, edge.proxy, {}), { status: 403, reason: 'missing-authentication' });
    }
  });

  await t.test('forward auth answers, too', async (t) => {
    const edge = edgeOf(facts, 'eu-west-1', 's3');
    t.match(await send(facts, edge.forwardAuth, {}), { reason: 'missing-original-request' });
  });

  await t.test('keydctl works with what it printed', async (t) => {
    const env = { KEYD_MASTER: facts.master.url, KEYD_CREDENTIALS: facts.credentials };
    const status = await keydctlJson(['status'], { env });
    const regions = status['regions'] as { region: string }[];
    t.same(regions.map(({ region }) => region).sort(), ['eu-west-1', 'us-east-1']);
    const { accessKeys } = (await keydctlJson(['access-key', 'list'], { env })) as { accessKeys: { status: string }[] };
    t.same(
      accessKeys.map((key) => key.status),
      ['enabled'],
      'nothing but the one to try is left',
    );
  });

  await t.test('the tour: everything is as told, and the stack is left as it was', async (t) => {
    const { code, out } = await runTour(t, ['--dir', dir, '--json']);
    const story = JSON.parse(out) as { isAsTold: boolean; chapters: { checks: { got: string; asTold: boolean }[] }[] };
    const checks = story.chapters.flatMap((chapter) => chapter.checks);
    t.same(
      checks.filter(({ asTold }) => !asTold),
      [],
    );
    t.match({ code, isAsTold: story.isAsTold }, { code: 0, isAsTold: true });
    t.ok(checks.filter(({ got }) => got === 'scope-revoked').length >= 4, 'it has shown refusals');
    t.match(await send(facts, facts.edges[0]!.proxy, { region: 'us-east-1' }), { status: 200 }, 'usable after it');
    const other = join(t.testdirName, 'no-stack');
    t.match(await runTour(t, ['--dir', other]), { code: 1, err: /no stack runs on .*npm start/ });
  });

  await t.test('secrets lie in files that only this user may read', (t) => {
    const files = [
      'custody.key',
      'database-url',
      'access-key.json',
      'stack.json',
      'feed-keys/root.jwk',
      'feed-keys/revocation.jwk',
      'feed-keys/beacon.jwk',
      'pki/ca/ca.key',
      'pki/master/tls.key',
      'logs/master.log',
    ];
    for (const file of files) t.equal(statSync(join(dir, file)).mode & 0o077, 0, file);
    const logs = Object.keys(facts.pids).map((name) => readFileSync(join(facts.logs, `${name}.log`), 'utf8'));
    t.notOk(
      logs.some((log) => log.includes(facts.secretAccessKey)),
      'and no log has one',
    );
    t.end();
  });

  await t.test('services get an environment from scratch', { skip: process.platform !== 'linux' }, (t) => {
    for (const [name, pid] of Object.entries(facts.pids)) {
      const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
        .split('\0')
        .map((entry) => entry.split('=')[0] ?? '');
      // The test runner adds its own to whatever Node.js program is started below it.
      const others = names.filter(
        (variable) => !/^(|PATH|KEYD_.*|NODE_CHANNEL_.*|_TAPJS_.*|NODE_OPTIONS)$/.test(variable),
      );
      t.same(others, [], name);
    }
    t.end();
  });

  await t.test('a second start in the same folder, or on the same ports, and a reset are refused', async (t) => {
    const sameFolder = await StackProcess.start(t, ['--dir', dir, '--port-base', String(PORT_BASE + 9_000)]).ended;
    t.match(sameFolder, { code: 1, err: new RegExp(`runs on this folder already \\(process ${stack.pid}\\).*--dir`) });
    const other = join(t.testdir(), 'other');
    const samePorts = await StackProcess.start(t, ['--dir', other, '--port-base', String(PORT_BASE)]).ended;
    t.match(samePorts, { code: 1, err: new RegExp(`port ${PORT_BASE}, for .*--port-base`) });
    t.notOk(existsSync(join(other, 'pki')), 'nothing was begun');
    t.match(await runReset(t, ['--dir', dir]), { code: 1, err: /stop it first/ });
    t.match(
      await send(facts, facts.edges[0]!.proxy, { region: 'us-east-1' }),
      { status: 200 },
      'the first one goes on',
    );
  });

  await t.test('kill -9 leaves nothing running', { timeout: 45_000 }, async (t) => {
    const all = childrenOf(stack.pid);
    t.equal(all.length, 9, 'PostgreSQL, the upstream and seven services');
    t.same(
      Object.values(facts.pids).filter((pid) => !all.includes(pid)),
      [],
    );
    stack.child.kill('SIGKILL');
    await stack.ended;
    await untilGone(t, all);
    t.pass('all nine have ended');
  });
});

t.test('a start after kill -9 works at once, on what there is; a service that ends stops the stack', async (t) => {
  const before = JSON.parse(readFileSync(join(dir, 'access-key.json'), 'utf8')) as { accessKeyId: string };
  const stack = StackProcess.start(t, [...args, '--json']);
  const facts = await stack.facts();
  t.equal(facts.accessKeyId, before.accessKeyId, 'the same access key');
  t.match(await send(facts, facts.edges[0]!.proxy, { region: 'us-east-1' }), { status: 200 });

  const all = childrenOf(stack.pid);
  process.kill(facts.pids['region-eu-west-1']!, 'SIGKILL');
  const { code, err } = await stack.ended;
  t.equal(code, 1);
  t.match(err, /npm start: region-eu-west-1 ended \(SIGKILL\)\. The end of .*region-eu-west-1\.log:\n[^]*"started"/);
  await untilGone(t, all);
});

t.test("one's own PostgreSQL, text for people, and an orderly stop", async (t) => {
  const database = await freshDatabase(t);
  const ownDir = join(t.testdir(), 'own');
  const ownArgs = ['--dir', ownDir, '--port-base', String(PORT_BASE)];
  const stack = startLikeNpm(t, ownArgs, { DATABASE_URL: database });
  await stack.says(/Ctrl-C stops everything/);
  t.notOk(existsSync(join(ownDir, 'postgres')), 'no server of ours');
  const [found] = await runSql<{ count: string }>(database, 'select count(*) from access_key');
  t.equal(found?.count, '3', 'one to try, one disabled, one revoked');
  const { accessKeyId, secretAccessKey } = JSON.parse(readFileSync(join(ownDir, 'access-key.json'), 'utf8')) as Record<
    string,
    string
  >;
  const user = `${accessKeyId}:${secretAccessKey}`.replaceAll(/[+/]/g, '\\$&');
  t.match(
    stack.out,
    new RegExp(`curl --aws-sigv4 aws:amz:us-east-1:s3 --user ${user} http://127\\.0\\.0\\.1:${PORT_BASE}/`),
  );
  t.match(stack.out, new RegExp(`AWS_ACCESS_KEY_ID=${accessKeyId} .* aws --endpoint-url .* s3api put-object`));
  t.match(
    stack.out,
    new RegExp(`export KEYD_MASTER=https://127\\.0\\.0\\.1:\\d+ KEYD_CREDENTIALS=${ownDir}/pki/operator`),
  );
  t.notOk(stack.out.includes(String.fromCharCode(27)), 'no colours without a terminal');

  stack.child.kill('SIGTERM');
  const { code, out } = await stack.ended;
  t.equal(code, 0);
  t.match(out, /Stopping:\n.*edge-verifier.*\n.*region-keyd.*\n.*master-keyd.*\n/);
  const logs = ['edge-us-east-1-s3', 'edge-eu-west-1-s3', 'region-us-east-1', 'region-eu-west-1', 'master'];
  const [edgeA, edgeB, regionA, regionB, master] = logs.map((name) => lifeOf(join(ownDir, 'logs', `${name}.log`)));
  for (const edge of [edgeA, edgeB])
    for (const region of [regionA, regionB]) t.ok(edge!.stopped <= region!.stopping, 'edges first');
  for (const region of [regionA, regionB]) t.ok(region!.stopped <= master!.stopping, 'the master after its regions');
  t.match(await runReset(t, ['--dir', ownDir]), { code: 0, out: /^Removed / });
});

/** When a service began and finished to stop, by its own log. */
function lifeOf(log: string): { readonly stopping: string; readonly stopped: string } {
  const lines = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; time: string });
  const timeOf = (msg: string): string => lines.find((line) => line.msg === msg)?.time ?? 'never';
  return { stopping: timeOf('stopping'), stopped: timeOf('stopped') };
}

t.test('kill -9 of npm in the middle of a start stops everything', { timeout: 60_000 }, async (t) => {
  const stack = startLikeNpm(t, args);
  const [, pid = ''] = await stack.says(/started as (\d+)/);
  await stack.says(/✓ PostgreSQL/);
  const all = [Number(pid), ...childrenOf(Number(pid))];
  stack.child.kill('SIGKILL');
  await untilGone(t, all);
  t.notOk(existsSync(join(dir, 'lock')), 'in its order: the lock is released');
});

t.test('wrong arguments, ports that are taken, a folder that is none of ours', async (t) => {
  const cases: readonly (readonly [args: readonly string[], err: RegExp])[] = [
    [['--port-base', '80'], /between 1024 and \d+/],
    [['--port-base', '65535'], /between 1024 and \d+/],
    [['--port-base', '7e3'], /between 1024 and \d+/],
    [['--port', '7400'], /unknown option '--port'/],
    [['now'], /too many arguments/],
  ];
  for (const [given, err] of cases) t.match(await StackProcess.start(t, given).ended, { code: 1, err });
  t.match(await StackProcess.start(t, ['--help']).ended, {
    code: 0,
    out: /--port-base .*\n.*--json[^]*DATABASE_URL[^]*Examples/,
  });

  const squatter = createServer().listen(PORT_BASE + 70, '127.0.0.1');
  await once(squatter, 'listening');
  const taken = await StackProcess.start(t, args).ended;
  squatter.close();
  t.match(taken, { code: 1, err: new RegExp(`port ${PORT_BASE + 70}, for PostgreSQL, cannot be used.*--port-base`) });

  const foreign = t.testdir({ 'precious.txt': 'keep' });
  t.match(await runReset(t, ['--dir', foreign]), { code: 1, err: /no state folder.*nothing was removed/ });
  t.ok(existsSync(join(foreign, 'precious.txt')));
  t.match(await runReset(t, ['--dir', dir]), { code: 0, out: `Removed ${dir}\n` });
  t.notOk(existsSync(dir));
  t.match(await runReset(t, ['--dir', dir]), { code: 0, out: /There is no state/ });
});
