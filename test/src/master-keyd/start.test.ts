import { configuration, shippedMigrations, startMasterKeyd } from '@sigv4-keyd/master-keyd';
import { formatSignerKey } from '@sigv4-keyd/ledger';
import { exportFeedKey, publicJwks } from '@sigv4-keyd/revocation';
import { ConfigurationError, readConfiguration } from '@sigv4-keyd/service-skeleton';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { createFeedKeys } from '../revocation/publisher.js';
import { TestAuthority } from '../support/certificates.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { LEDGER_KEYS } from '../support/test-ledger.js';
import { until } from '../support/victim.js';
import { capturedLog, environment, NOON, startMaster } from './master-under-test.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.resolve('@sigv4-keyd/master-keyd')));
const NOWHERE = 'postgres://keyd:hidden-password@127.0.0.1:1/keyd';

async function complete(t: Test): Promise<Record<string, string>> {
  const authority = await TestAuthority.create(t.testdir());
  return environment(authority, { database: NOWHERE, custodyKey: randomBytes(32) });
}

function problemsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    readConfiguration(configuration, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

function run(
  env: Record<string, string | undefined>,
  ...args: string[]
): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  );
}

t.test('every setting that is needed is missed, every malformed one named', async (t) => {
  const env = await complete(t);
  t.same(problemsOf(env), []);
  const tls = ['TRUST_DOMAIN', 'TLS_CERT', 'TLS_KEY', 'TLS_CA'];
  const required = [...tls, 'DATABASE_URL', 'CUSTODY_KEY', 'REVOCATION_KEY', 'BEACON_KEY', 'FEED_KEYS', 'LEDGER_KEY'];
  for (const name of required) {
    t.same(problemsOf({ ...env, [`KEYD_${name}`]: undefined }), [`KEYD_${name} is missing`]);
    t.same(problemsOf({ ...env, [`KEYD_${name}`]: '' }), [`KEYD_${name} is missing`], 'empty is missing');
  }
  const malformed: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['TRUST_DOMAIN', ['Keyd.Test', 'spiffe://keyd.test', 'a/b'], /SPIFFE trust domain/],
    ['TLS_CERT', ['/no/such/file'], /must name a file/],
    ['TLS_KEY', ['/no/such/file'], /must name a file/],
    ['TLS_CA', ['/no/such/file'], /must name a file/],
    ['LISTEN', ['8443', 'host:65536', 'host:', '[::1:8443', 'http://host:1'], /HOST:PORT/],
    ['HEALTH_LISTEN', ['x'], /HOST:PORT/],
    ['LOG_LEVEL', ['loud'], /./],
    ['LONGEST_PRESIGNED', ['8d', '0s', '7', '1w', '-1d', '1e3s'], /7d/],
    ['CLOCK_SKEW', ['0s', '2h', '15'], /1h|unit/],
    ['DATABASE_WAIT', ['60', 'long'], /unit/],
    ['BEACON_EVERY', ['0s', '61s', '2'], /60s|unit/],
    ['BEACON_LIFE', ['9m', '8d', 'ever'], /7d|unit/],
    ['REVOCATION_KEY', ['{"d":"hidden', 'hidden'], /a JWK in JSON; keydctl feed-keys/],
    ['BEACON_KEY', ['{"d":"hidden', 'hidden'], /a JWK in JSON/],
    ['FEED_KEYS', ['keys', '{'], /a JWKS in JSON/],
    ['CUSTODY', ['tape', 'File', 'file,file'], /file/],
    ['DATABASE_URL', ['keyd', 'mysql://h/d', 'postgres://h', 'postgres://h/', 'http://h/d'], /postgres:\/\/USER/],
    [
      'CUSTODY_KEY',
      ['short', 'x'.repeat(44), randomBytes(31).toString('base64'), randomBytes(33).toString('base64'), '='.repeat(44)],
      /32 random bytes in base64.*openssl rand/,
    ],
  ];
  for (const [name, values, expected] of malformed) {
    for (const value of values) {
      const problems = problemsOf({ ...env, [`KEYD_${name}`]: value });
      t.equal(problems.length, 1, `${name}=${value}`);
      t.match(problems[0], new RegExp(`^KEYD_${name} .*${expected.source}`));
      const isSecret = ['DATABASE_URL', 'CUSTODY_KEY', 'REVOCATION_KEY', 'BEACON_KEY'].includes(name);
      t.notOk(isSecret && problems.some((problem) => problem.includes(value)), 'a secret is not quoted');
    }
  }
  t.same(problemsOf({ ...env, KEYD_DATABSE_URL: 'x' }), ['KEYD_DATABSE_URL is not a setting of this service']);
});

t.test('secrets come from files, too', async (t) => {
  const env = await complete(t);
  const file = (name: string, content: string): string => {
    writeFileSync(join(t.testdirName, name), content);
    return join(t.testdirName, name);
  };
  const custody = file('custody', `${env['KEYD_CUSTODY_KEY'] ?? ''}\n`);
  const without = { ...env, KEYD_CUSTODY_KEY: undefined };
  t.same(problemsOf({ ...without, KEYD_CUSTODY_KEY_FILE: custody }), []);
  t.same(problemsOf({ ...env, KEYD_CUSTODY_KEY_FILE: custody }), [
    'KEYD_CUSTODY_KEY and KEYD_CUSTODY_KEY_FILE are both set; keep one',
  ]);
  t.match(problemsOf({ ...without, KEYD_CUSTODY_KEY_FILE: join(t.testdirName, 'none') })[0], /cannot read .*ENOENT/);
  t.match(problemsOf({ ...without, KEYD_CUSTODY_KEY_FILE: file('empty', '') })[0], /KEYD_CUSTODY_KEY must be 32/);
});

t.test('the program tells all problems at once and exits as sysexits.h says', async (t) => {
  const env = await complete(t);
  const wrong = await run({
    ...env,
    KEYD_TLS_CERT: '/no/such/file',
    KEYD_CUSTODY_KEY: 'tooshort',
    KEYD_DATABASE_URL: '',
    KEYD_CLOCK_SKEW: '5',
    KEYD_MASTERS: 'https://x:1',
  });
  t.equal(wrong.code, 78);
  const problems = ['TLS_CERT must', 'CUSTODY_KEY must', 'DATABASE_URL is missing', 'CLOCK_SKEW must', 'MASTERS is'];
  for (const problem of problems) t.match(wrong.stderr, `- KEYD_${problem}`);
  t.match(wrong.stderr, '--help');
  t.equal(wrong.stdout, '');

  const checked = await run(env, '--check');
  t.match(checked, { code: 0, stdout: /complete/ });
  for (const misspelt of ['--confine', 'check', '--check --confined']) {
    const refused = await run(env, ...misspelt.split(' '));
    t.match(refused, { code: 64, stdout: '', stderr: /takes one of --check, --confined/ }, misspelt);
  }
  const help = await run({}, '--help');
  t.equal(help.code, 0);
  for (const setting of Object.keys(env)) t.match(help.stdout, setting);

  const alone = await run({ ...env, KEYD_DATABASE_WAIT: '0s' });
  t.equal(alone.code, 69);
  t.match(alone.stderr, /master-keyd: the database did not answer .*ECONNREFUSED/);
  t.notOk((alone.stderr + alone.stdout).includes('hidden-password'));
});

t.test('a start that fails half-way leaves nothing behind', async (t) => {
  const database = await freshDatabase(t);
  const authority = await TestAuthority.create(t.testdir());
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const env = await environment(authority, { database, custodyKey: randomBytes(32) });
  const { log } = capturedLog();
  const start = (changes: Record<string, string>): Promise<unknown> =>
    startMasterKeyd(readConfiguration(configuration, { ...env, ...changes }), { clock: new VirtualClock(NOON), log });
  await t.rejects(start({ KEYD_LISTEN: `127.0.0.1:${port}` }), { exitCode: 69, message: /taken.*KEYD_LISTEN/ });
  await t.rejects(start({ KEYD_HEALTH_LISTEN: `127.0.0.1:${port}` }), { exitCode: 69, message: /KEYD_HEALTH_LISTEN/ });
  const open = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'master-keyd' AND datname = current_database()";
  // PostgreSQL hears of a closed connection a moment after it was closed.
  await until(async () => (await runSql(database, open)).length === 0);
  t.pass('no connection is left open');
  const process = await run({ ...env, KEYD_LISTEN: `127.0.0.1:${port}` });
  t.equal(process.code, 69, 'the process ends: neither a connection nor a timer keeps it alive');
  const edge = await authority.filesOf({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' });
  await t.rejects(start({ KEYD_TLS_CERT: edge.cert, KEYD_TLS_KEY: edge.key }), {
    exitCode: 78,
    message: /role master/,
  });
});

t.test('keys of the feed or of the ledger that nobody would believe are refused at the start', async (t) => {
  const strangeLedgerKey = formatSignerKey('else.test/issuance', randomBytes(32));
  const database = await freshDatabase(t);
  const authority = await TestAuthority.create(t.testdir());
  const env = await environment(authority, { database, custodyKey: randomBytes(32) });
  const { log, logged } = capturedLog();
  const strangers = await createFeedKeys();
  const { revocation, root } = strangers;
  const secret = exportFeedKey(strangers.beacon);
  const text = (json: object): string => JSON.stringify(json);
  const rows: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ['another beacon key', { KEYD_BEACON_KEY: text(secret) }, /KEYD_BEACON_KEY .*KEYD_FEED_KEYS does not hold/],
    ['another revocation key', { KEYD_REVOCATION_KEY: text(exportFeedKey(revocation)) }, /KEYD_REVOCATION_KEY has/],
    ['keys swapped', { KEYD_REVOCATION_KEY: env['KEYD_BEACON_KEY'] ?? '' }, /is a beacon key; give the revocation key/],
    ['the root key', { KEYD_BEACON_KEY: text(exportFeedKey(root)) }, /is a root key; give the beacon key/],
    ['half a key', { KEYD_BEACON_KEY: text({ ...secret, x: undefined }) }, /KEYD_BEACON_KEY: The key file/],
    ['a private key pinned', { KEYD_FEED_KEYS: text({ keys: [secret] }) }, /KEYD_FEED_KEYS: .*private key/],
    ['no signer key', { KEYD_LEDGER_KEY: LEDGER_KEYS }, /KEYD_LEDGER_KEY: A key is written/],
    ['the key of another ledger', { KEYD_LEDGER_KEY: strangeLedgerKey }, /is a key of the log else.test.issuance/],
    ['no root key pinned', { KEYD_FEED_KEYS: text(publicJwks([revocation, strangers.beacon])) }, /no key .*root/],
  ];
  for (const [name, changes, message] of rows) {
    const settings = readConfiguration(configuration, { ...env, ...changes });
    const failure = await startMasterKeyd(settings, { clock: new VirtualClock(NOON), log }).catch((e: unknown) => e);
    t.match(failure, { exitCode: 78, message }, name);
    const told = `${inspect(failure)}${logged.join('')}${inspect(settings, { depth: 9 })}`;
    t.notOk(told.includes(secret.d) || told.includes(exportFeedKey(root).d), `${name}: no private key is told`);
  }
});

t.test('what the health listener says', async (t) => {
  const master = await startMaster(t);
  t.same(await master.health('/health/ready'), { status: 200, body: { ready: true, notReady: [], warnings: [] } });
  const { body } = await master.health('/status');
  t.match(body, {
    ready: true,
    identity: 'spiffe://keyd.test/master/m1',
    startedAt: '2026-11-22T12:00:00.000Z',
    certificateExpiresAt: /^\d{4}-/,
    schemaVersion: (await shippedMigrations()).length,
    feed: { isPublisher: true, version: 1, statements: 0, banned: 0, unpublishable: 0 },
  });
});
