import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCredentials } from '@sigv4-keyd/fastify-mtls';
import t, { type Test } from 'tap';
import { keydctl, keydctlJson } from './keydctl-under-test.js';

const ESCAPE = new RegExp(String.fromCharCode(27));
const DAY_MS = 86_400_000;

interface Pki {
  readonly folder: string;
  readonly ca: readonly string[];
  readonly path: (...parts: string[]) => string;
}

async function authority(t: Test): Promise<Pki> {
  const folder = t.testdir();
  const path = (...parts: string[]): string => join(folder, ...parts);
  await keydctlJson(['pki', 'init', '--trust-domain', 'keyd.local', '--out', path('ca')]);
  return { folder, ca: ['--ca', path('ca')], path };
}

const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

t.test('an authority, and a certificate that a service can use', async (t) => {
  const { ca, path } = await authority(t);
  const spiffeId = 'spiffe://keyd.local/edge/us-east-1/s3/edge-1';
  const args = [
    'pki',
    'issue',
    spiffeId,
    ...ca,
    '--out',
    path('edge'),
    '--dns',
    'localhost,a.example',
    '--ip',
    '127.0.0.1',
  ];
  const made = await keydctlJson([...args, '--dns', 'b.example', '--days', '30']);
  t.match(made, { spiffeId, cert: path('edge', 'tls.crt'), key: path('edge', 'tls.key'), ca: path('edge', 'ca.crt') });

  const files = { cert: path('edge', 'tls.crt'), key: path('edge', 'tls.key'), ca: path('edge', 'ca.crt') };
  const credentials = await readCredentials(files);
  t.equal(credentials.spiffeId, spiffeId);
  const certificate = new X509Certificate(credentials.cert);
  t.ok(
    certificate.verify(new X509Certificate(readFileSync(path('ca', 'ca.crt'))).publicKey),
    'issued by the authority',
  );
  for (const name of ['localhost', 'a.example', 'b.example']) t.ok(certificate.checkHost(name), name);
  t.ok(certificate.checkIP('127.0.0.1'));
  const days = (credentials.notAfter.getTime() - Date.now()) / DAY_MS;
  t.ok(days > 29.9 && days <= 30, '30 days');
  for (const key of [path('ca', 'ca.key'), files.key]) t.equal(modeOf(key), '600', key);
});

t.test('an identity in words is the same as its SPIFFE id', async (t) => {
  const { ca, path } = await authority(t);
  const cases: readonly (readonly [string[], string])[] = [
    [['operator', 'alice'], 'operator/alice'],
    [['master', 'master-1'], 'master/master-1'],
    [['region', 'eu-west-1', 'region-1'], 'region/eu-west-1/region-1'],
    [['edge', 'us-east-1', 's3', 'edge-1'], 'edge/us-east-1/s3/edge-1'],
  ];
  for (const [words, expected] of cases) {
    const made = await keydctlJson(['pki', 'issue', ...words, ...ca, '--out', path(words.join('-'))]);
    t.equal(made['spiffeId'], `spiffe://keyd.local/${expected}`);
  }
});

t.test('what is no identity here is refused before anything is made', async (t) => {
  const { ca, path } = await authority(t);
  const cases = [
    ['spiffe://keyd.local/edge/us-east-1/s3'],
    ['spiffe://keyd.local/admin/alice'],
    ['spiffe://keyd.local/operator/alice/more'],
    ['spiffe://keyd.local/region/EU/region-1'],
    ['spiffe://other.domain/operator/alice'],
    ['spiffe://keyd.local/operator/%61lice'],
    ['edge', 'us-east-1', 'edge-1'],
    ['operator'],
    ['operator', '../alice'],
    ['https://keyd.local/operator/alice'],
  ];
  for (const words of cases) {
    const { code, err } = await keydctl(['pki', 'issue', ...words, ...ca, '--out', path('refused')]);
    t.equal(code, 2, words.join(' '));
    t.match(err, /^keydctl: error: [^\n]+\n$/, 'one line');
    t.notOk(existsSync(path('refused')), 'nothing was made');
    const request = ['pki', 'request', ...words, '--trust-domain', 'keyd.local', '--out', path('refused')];
    t.equal((await keydctl(request)).code, 2, `${words.join(' ')} (request)`);
    t.notOk(existsSync(path('refused')), 'no key was made');
  }
});

t.test('nothing that is there is overwritten', async (t) => {
  const { ca, path } = await authority(t);
  const issue = ['pki', 'issue', 'operator', 'alice', ...ca, '--out', path('alice')];
  await keydctlJson(issue);
  const files = [path('alice', 'tls.crt'), path('alice', 'tls.key'), path('ca', 'ca.key'), path('ca', 'ca.crt')];
  const before = files.map((file) => readFileSync(file, 'utf8'));
  t.match(await keydctl(issue), { code: 1, err: /tls\.(crt|key) is there already/ });
  const init = ['pki', 'init', '--trust-domain', 'keyd.local', '--out', path('ca')];
  t.match(await keydctl(init), { code: 1, err: /ca\.crt is there already/ });
  t.same(
    files.map((file) => readFileSync(file, 'utf8')),
    before,
  );
});

t.test('renewing keeps identity and names, and replaces the key unless told otherwise', async (t) => {
  const { ca, path } = await authority(t);
  const folder = path('edge');
  await keydctlJson([
    'pki',
    'issue',
    'edge',
    'us-east-1',
    's3',
    'e',
    ...ca,
    '--out',
    folder,
    '--dns',
    'a.example',
    '--days',
    '2',
  ]);
  const key = readFileSync(join(folder, 'tls.key'), 'utf8');
  const kept = await keydctlJson(['pki', 'renew', folder, ...ca, '--days', '10', '--keep-key']);
  t.equal(readFileSync(join(folder, 'tls.key'), 'utf8'), key);
  const renewed = await keydctlJson(['pki', 'renew', folder, ...ca]);
  t.not(readFileSync(join(folder, 'tls.key'), 'utf8'), key);
  t.equal(modeOf(join(folder, 'tls.key')), '600');
  t.equal(renewed['spiffeId'], 'spiffe://keyd.local/edge/us-east-1/s3/e');
  t.ok(new X509Certificate(readFileSync(join(folder, 'tls.crt'))).checkHost('a.example'));
  t.ok(String(kept['notAfter']) < String(renewed['notAfter']), '10 days, then 90');
});

t.test('a request made elsewhere: sign it, install the answer', async (t) => {
  const { ca, path } = await authority(t);
  const made = await keydctlJson([
    'pki',
    'request',
    'spiffe://keyd.local/master/m1',
    '--dns',
    'm.example',
    '--out',
    path('m1'),
  ]);
  t.notOk(existsSync(path('m1', 'tls.crt')), 'only a key and a request');
  const signed = await keydctlJson(['pki', 'sign', String(made['csr']), ...ca, '--out', path('answer.crt')]);
  t.match(signed, { spiffeId: 'spiffe://keyd.local/master/m1', dnsNames: ['m.example'], cert: path('answer.crt') });
  const install = ['pki', 'install', path('m1'), '--cert', path('answer.crt'), '--trust', path('ca', 'ca.crt')];
  t.match(await keydctlJson(install), { spiffeId: 'spiffe://keyd.local/master/m1' });

  const again = await keydctl(['pki', 'sign', String(made['csr']), ...ca, '--out', path('answer.crt')]);
  t.match(again, { code: 1, err: /EEXIST/ }, 'an answer is not overwritten');
  await keydctlJson(['pki', 'issue', 'operator', 'alice', ...ca, '--out', path('alice')]);
  const wrong = ['pki', 'install', path('alice'), '--cert', path('answer.crt'), '--trust', path('ca', 'ca.crt')];
  t.match(await keydctl(wrong), { code: 1, err: /not for .*tls\.key/ });
});

const withoutOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'SKIPPED: openssl is not installed';

t.test('a request for what no tier serves is not signed', { skip: withoutOpenssl }, async (t) => {
  const { ca, path } = await authority(t);
  const subject = ['-subj', '/CN=x', '-addext', 'subjectAltName=URI:spiffe://keyd.local/admin/x'];
  const make = ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject];
  execFileSync('openssl', [...make, '-keyout', path('x.key'), '-out', path('x.csr')], { stdio: 'ignore' });
  t.match(await keydctl(['pki', 'sign', path('x.csr'), ...ca]), { code: 2, err: /no identity of sigv4-keyd/ });
  t.notOk(existsSync(path('x.crt')));
  t.match(await keydctl(['pki', 'sign', path('x.csr'), ...ca, '--identity', 'spiffe://keyd.local/operator/x']), {
    code: 1,
  });
  t.notOk(existsSync(path('x.crt')), 'whom it is for cannot be changed');
});

t.test('a folder is shown with what is wrong with it', async (t) => {
  const { ca, path, folder } = await authority(t);
  await keydctlJson(['pki', 'issue', 'operator', 'alice', ...ca, '--out', path('alice'), '--days', '1']);
  chmodSync(path('alice', 'tls.key'), 0o644);
  writeFileSync(path('broken.crt'), '-----BEGIN CERTIFICATE-----\nMIIB');
  const later = Date.now() + 3 * DAY_MS;
  const { files } = (await keydctlJson(['pki', 'list', folder], { now: later })) as {
    files: { file: string; spiffeId?: string; daysLeft?: number; problems: { code: string }[] }[];
  };
  const problemsOf = (name: string): string[] =>
    files.filter(({ file }) => file.endsWith(name)).flatMap(({ problems }) => problems.map(({ code }) => code));
  t.same(problemsOf('alice/tls.crt'), ['expired']);
  t.same(problemsOf('alice/tls.key'), ['key-readable-by-others']);
  t.same(problemsOf('broken.crt'), ['malformed']);
  t.same(problemsOf('ca/ca.key'), []);

  const { out } = await keydctl(['pki', 'list', folder], { now: later });
  t.match(out, /FILE +KIND +IDENTITY/);
  t.match(out, /alice\/tls\.crt +leaf +spiffe:\/\/keyd\.local\/operator\/alice .* expired\n/);
  t.match(out, /alice\/tls\.key: .*chmod 600/, 'and says what to do');
  t.notMatch(out, ESCAPE, 'no colours in a pipe');
  t.match((await keydctl(['pki', 'list', folder], { isTerminal: true })).out, ESCAPE, 'colours on a terminal');
  const plain = await keydctl(['pki', 'list', folder], { isTerminal: true, env: { NO_COLOR: '1' } });
  t.notMatch(plain.out, ESCAPE, 'NO_COLOR is honoured');
  t.match(await keydctl(['pki', 'list', path('nowhere')]), { code: 1, err: /cannot be read as a folder/ });
});

t.test('several authorities in one file', async (t) => {
  const { path } = await authority(t);
  await keydctlJson(['pki', 'init', '--trust-domain', 'keyd.local', '--out', path('new')]);
  const from = [path('ca', 'ca.crt'), path('new', 'ca.crt'), path('ca', 'ca.crt')];
  const joined = await keydctlJson(['pki', 'bundle', ...from, '--out', path('both.crt')]);
  t.same(joined, { file: path('both.crt'), authorities: 2 });
  t.equal(readFileSync(path('both.crt'), 'utf8').match(/BEGIN CERTIFICATE/g)?.length, 2);
});

t.test('hostile and broken arguments', async (t) => {
  const { ca, path } = await authority(t);
  const alice = ['pki', 'issue', 'operator', 'alice', '--out', path('alice')];
  const cases: readonly (readonly [args: readonly string[], code: number, err: RegExp])[] = [
    [['pki', 'init', '--out', path('x')], 2, /--trust-domain is missing/],
    [['pki', 'init', '--trust-domain', 'Keyd.Local', '--out', path('x')], 2, /--trust-domain must be/],
    [['pki', 'init', '--trust-domain', 'k', '--days', '0', '--out', path('x')], 2, /--days must be a whole number/],
    [['pki', 'init', '--trust-domain', 'k', '--days', '1e3', '--out', path('x')], 2, /--days/],
    [['pki', 'init', '--trust-domain', 'k', '--days', '9999', '--out', path('x')], 2, /--days must be at most/],
    [[...alice, '--ca', path('nowhere')], 1, /ca\.crt is not there/],
    [[...alice, ...ca, '--dns', 'not a host'], 2, /is no DNS name/],
    [[...alice, ...ca, '--dns', 'a,,b'], 2, /is no DNS name/],
    [[...alice, ...ca, '--ip', '1.2.3'], 2, /is no IP address/],
    [['pki', 'issue', ...ca], 2, /missing required argument/],
    [['pki', 'renew', path('nowhere'), ...ca], 1, /tls\.crt is not there/],
    [['pki', 'sign', path('nowhere.csr'), ...ca], 1, /ENOENT/],
    [['pki', 'sign', path('ca', 'ca.crt'), ...ca], 1, /request/],
    [['pki', 'bundle', '--out', path('b')], 2, /missing required argument/],
    [['pki', 'bundle', path('ca', 'ca.key'), '--out', path('b')], 1, /ca\.key/],
    [['pki', 'list', 'a', 'b'], 2, /too many arguments/],
    [['pki', 'isue'], 2, /unknown command 'isue' \(Did you mean issue\?\)/],
    [['pki', 'list', '--colour'], 2, /unknown option '--colour'/],
    [['pki'], 2, /no command was given/],
  ];
  for (const [args, code, err] of cases) {
    const result = await keydctl(args);
    t.equal(result.code, code, args.join(' '));
    t.match(result.err, err);
    if (args.length > 1) t.match(result.err, /^keydctl: error: [^\n]+\n$/, 'one line');
  }
  for (const made of ['x', 'alice', 'b']) t.notOk(existsSync(path(made)), `no ${made}`);
  const told = await keydctl([...alice, '--ca', path('nowhere'), '--json']);
  t.match(JSON.parse(told.out), { error: { code: 'unreadable', exitCode: 1, message: /ca\.crt is not there/ } });
});
