import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ERRORS, KeydError, type AccessKey, type ErrorCode } from '@sigv4-keyd/hop-protocol';
import { parseScopeDate } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { startMaster } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { runSql } from '../support/postgres.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { keydctl, keydctlJson, type Result } from './keydctl-under-test.js';
import { scriptedMaster } from './scripted-master.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.resolve('@sigv4-keyd/keydctl')));
const SECRET = 'kJ8+secret/Made0Elsewhere0123456789abcdE';

/** A real master over a real database, and the environment of an operator of it. */
async function operator(t: Test) {
  const clock = new VirtualClock(Date.now());
  const authority = await TestAuthority.create(t.testdir());
  const master = await startMaster(t, { clock, authority });
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const url = `https://${master.service.addresses['hop'] ?? ''}`;
  const env = { KEYD_MASTER: url, KEYD_CREDENTIALS: credentials };
  const run = (args: readonly string[], input?: string): Promise<Result> =>
    keydctl(args, { env, now: clock.now(), ...(input !== undefined && { input }) });
  const json = (args: readonly string[]): Promise<Record<string, unknown>> =>
    keydctlJson(args, { env, now: clock.now() });
  return { authority, master, clock, env, run, json };
}

t.test('the life of an access key', async (t) => {
  const { run, json, clock } = await operator(t);
  const empty = await run(['access-key', 'list']);
  t.match(empty, { code: 0, out: /No access keys\. Create one/ });

  const restrictions = [
    '--expires',
    '90d',
    '--region',
    'us-east-1,eu-west-1',
    '--region',
    'us-east-1',
    '--service',
    's3',
  ];
  const created = await json(['access-key', 'create', '--owner', 'ci', ...restrictions]);
  t.match(created, { accessKeyId: /^AKIA[A-Z2-7]{16}$/, secretAccessKey: /^.{40}$/, owner: 'ci', status: 'enabled' });
  t.same([created['regions'], created['services']], [['us-east-1', 'eu-west-1'], ['s3']]);
  t.equal(Date.parse(String(created['expiresAt'])), clock.now() + 90 * 86_400_000);
  const id = String(created['accessKeyId']);

  const shown = await run(['access-key', 'create', '--owner', 'Backups of Berlin', '--expires', '2999-12-31']);
  t.match(shown.out, /secret access key +\S{40}\n/);
  t.match(shown.out, /expires +2999-12-31T00:00:00Z/);
  t.match(shown.out, /shown this once/);

  const secretOf = (result: { out: string }): boolean => result.out.includes(String(created['secretAccessKey']));
  for (const action of ['show', 'disable', 'enable'] as const) {
    const result = await run(['access-key', action, id]);
    t.match(result, { code: 0, out: new RegExp(`status +${action === 'disable' ? 'disabled' : 'enabled'}`) }, action);
    t.notOk(secretOf(result), 'the secret is never shown again');
  }
  await run(['access-key', 'disable', id]);
  const listed = await run(['access-key', 'list']);
  t.match(listed.out, new RegExp(`${id} +ci +disabled +no +us-east-1, eu-west-1 +s3 +`));
  t.notOk(secretOf(listed));
  const enabled = (await json(['access-key', 'list', '--status', 'enabled'])) as { accessKeys: AccessKey[] };
  t.same(
    enabled.accessKeys.map(({ owner }) => owner),
    ['Backups of Berlin'],
  );
  const ofCi = (await json(['access-key', 'list', '--owner', 'ci'])) as { accessKeys: AccessKey[] };
  t.same(
    ofCi.accessKeys.map(({ accessKeyId }) => accessKeyId),
    [id],
  );

  t.match(await run(['access-key', 'delete', id]), { code: 2, err: /Add --yes/ }, 'deleting wants a yes');
  t.match(await json(['access-key', 'show', id]), { status: 'disabled' });
  t.match(await json(['access-key', 'delete', id, '--yes']), { accessKeys: [{ status: 'deleted' }] });
  t.match(await run(['access-key', 'enable', id]), { code: 1, err: /wrong-state/ });
  t.match(await run(['access-key', 'show', 'AKIANOSUCHKEY0000000']), { code: 1, err: /not-found/ });
});

t.test('access keys are pinned and unpinned, all that are named or none, on the record', async (t) => {
  const { run, json, master } = await operator(t);
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    ids.push(String((await json(['access-key', 'create', '--owner', 'ci']))['accessKeyId']));
  }
  const [first = '', second = '', third = ''] = ids;
  const pinned = async (): Promise<readonly string[]> => {
    const { accessKeys } = (await json(['access-key', 'list'])) as { accessKeys: AccessKey[] };
    return accessKeys.flatMap((key) => (key.pinned ? [key.accessKeyId] : []));
  };
  t.same(await pinned(), [], 'none is at first');
  const answered = await run(['access-key', 'pin', second, first, second]);
  t.match(answered, { code: 0, out: new RegExp(`${second} +ci +enabled +yes[^]*${first} +ci +enabled +yes`) });
  t.same(await pinned(), [first, second].sort());
  t.match(await run(['access-key', 'show', first]), { out: /pinned +yes/ });

  const half = await run(['access-key', 'pin', third, 'AKIANOSUCHKEY0000000']);
  t.match(half, { code: 1, err: /AKIANOSUCHKEY0000000.*nothing was changed/ });
  t.same(await pinned(), [first, second].sort(), 'all or none');
  t.match(await json(['access-key', 'unpin', second]), { accessKeys: [{ accessKeyId: second, pinned: false }] });
  await run(['access-key', 'delete', first, '--yes']);
  t.match(await json(['access-key', 'show', first]), { status: 'deleted', pinned: false });
  t.match(await run(['access-key', 'unpin', first]), { code: 1, err: /not-found/ });
  t.match(await run(['access-key', 'pin']), { code: 2, err: /access-key-ids/ });
  t.match(await run(['access-key', 'pin', SECRET]), { code: 2, err: /not 3 to 128/ });

  const recorded = await runSql(
    master.database,
    `SELECT action, access_key_id AS id FROM operator_action WHERE action IN ('pin', 'unpin') ORDER BY action, id`,
  );
  t.same(recorded, [...[first, second].sort().map((id) => ({ action: 'pin', id })), { action: 'unpin', id: second }]);
});

t.test('changes of many access keys, by id or by owner, and what they say', async (t) => {
  const { run, json, clock } = await operator(t);
  const make = async (owner: string): Promise<string> =>
    String((await json(['access-key', 'create', '--owner', owner]))['accessKeyId']);
  const [one, two, other] = [await make('ci'), await make('ci'), await make('shop')];
  const statuses = async (): Promise<Record<string, string>> => {
    const { accessKeys } = (await json(['access-key', 'list'])) as { accessKeys: AccessKey[] };
    return Object.fromEntries(accessKeys.map(({ accessKeyId, status }) => [accessKeyId, status]));
  };
  const dry = await run(['access-key', 'disable', '--owner', 'ci', '--dry-run']);
  t.match(dry, { code: 0, out: /Nothing was changed: this was a dry run over 2 access keys/ });
  t.same(await statuses(), { [one]: 'enabled', [two]: 'enabled', [other]: 'enabled' });
  const disabled = await run(['access-key', 'disable', '--owner', 'ci']);
  t.match(disabled.out, /2 access keys changed\..*\nIn force since version \d+ of the feed\..*within a second/);
  t.same(await statuses(), { [one]: 'disabled', [two]: 'disabled', [other]: 'enabled' });
  t.match(await run(['access-key', 'disable', '--owner', 'ci']), {
    code: 1,
    err: /the owner "ci" has no access key that is enabled/,
  });
  t.match(await json(['access-key', 'enable', two, one, two]), {
    accessKeys: [
      { accessKeyId: two, status: 'enabled' },
      { accessKeyId: one, status: 'enabled' },
    ],
    version: Number,
  });

  const inOneDay = new Date(clock.now() + 86_400_000).toISOString();
  t.match(await json(['access-key', 'expire', one, '--in', '24h']), { accessKeys: [{ expiresAt: inOneDay }] });
  const at = '2999-12-31T00:00:00.000Z';
  t.match(await json(['access-key', 'expire', one, two, '--at', '2999-12-31']), {
    accessKeys: [{ expiresAt: at }, { expiresAt: at }],
  });
  t.match((await run(['access-key', 'expire', one, '--never'])).out, /expires +never[^]*does not end by itself/);
  const restricted = await run(['access-key', 'restrict', one, '--service', 's3', '--region', 'us-east-1,eu-west-1']);
  t.match(restricted.out, /regions +us-east-1, eu-west-1\nservices +s3/);
  t.match(
    (await run(['access-key', 'restrict', one, '--unrestricted'])).out,
    /regions +all\nservices +all[^]*good for every region/,
  );

  t.match(await run(['access-key', 'rotate', one]), { code: 2, err: /Add --yes/ });
  const rotated = await run(['access-key', 'rotate', one, '--yes']);
  t.match(rotated.out, new RegExp(`${one}\\nsecret access key +\\S{40}\\n[^]*old secret is good no more`));
  const overlap = await json(['access-key', 'rotate', two, '--overlap', '24h']);
  t.match(overlap, { accessKey: { owner: 'ci', secretAccessKey: /^.{40}$/ }, predecessor: { expiresAt: inOneDay } });
  const told = await run(['access-key', 'rotate', two, '--overlap', '30m']);
  t.match(told.out, new RegExp(`${two} goes on until `));
  t.match(await json(['status']), { accessKeys: { changesInFeed: 2 } });

  const { accessKeys } = await json(['access-key', 'delete', '--owner', 'ci', '--yes']);
  t.equal((accessKeys as AccessKey[]).length, 4);
  t.same(await statuses(), { [other]: 'enabled' });
  for (const [args, err] of [
    [['disable'], /give access key ids, or --owner/],
    [['disable', one, '--owner', 'ci'], /give access key ids, or --owner/],
    [['expire', one], /give one of --at, --in and --never/],
    [['expire', one, '--in', '1h', '--never'], /give one of/],
    [['expire', one, '--at', '2020-01-01'], /--at lies in the past/],
    [['expire', one, '--in', 'soon'], /--in must be like 30m/],
    [['restrict', one], /give --region, --service or both/],
    [['restrict', one, '--unrestricted', '--service', 's3'], /give --region/],
    [['disable', SECRET], /not 3 to 128/],
  ] as const) {
    t.match(await run(['access-key', ...args]), { code: 2, err, out: '' }, args.join(' '));
  }
});

async function importFrom(json: (args: readonly string[]) => Promise<unknown>, t: Test, id: string): Promise<void> {
  const file = join(t.testdirName, 'secret');
  writeFileSync(file, `${SECRET}\n`);
  await json(['access-key', 'import', id, '--owner', 'legacy', '--secret-file', file]);
}

t.test('deleting on a terminal asks first', async (t) => {
  const { json, env } = await operator(t);
  const { accessKeyId } = await json(['access-key', 'create', '--owner', 'ci']);
  const args = ['access-key', 'delete', String(accessKeyId)];
  for (const input of ['no\n', '\n', '', 'y\n']) {
    const refused = await keydctl(args, { env, input, isTerminal: true });
    t.match(refused, { code: 1, err: /Delete access key .* for good\?/ }, JSON.stringify(input));
    t.match(await json(['access-key', 'show', String(accessKeyId)]), { status: 'enabled' });
  }
  t.equal((await keydctl(args, { env, input: 'yes\n', isTerminal: true })).code, 0);
  t.match(await json(['access-key', 'show', String(accessKeyId)]), { status: 'deleted' });
});

t.test('importing reads the secret from a file or from standard input, and refuses what is none', async (t) => {
  const { run, json, env } = await operator(t);
  const args = (id: string): string[] => ['access-key', 'import', id, '--owner', 'legacy'];
  await importFrom(json, t, 'AKIAFROMFILE');
  t.match(await run(args('AKIAPIPED'), SECRET), { code: 0, out: /AKIAPIPED/ });
  t.match(await run([...args('AKIADASH'), '--secret-file', '-'], `${SECRET}\r\n`), { code: 0 });
  t.match(await run(args('AKIAPIPED'), SECRET), { code: 1, err: /already-exists/ });

  for (const bad of ['', 'short', `${SECRET}\n${SECRET}`, `${SECRET} `, 'ü'.repeat(20), 'x'.repeat(129)]) {
    const refused = await run(args('AKIABAD'), bad);
    t.match(refused, { code: 1, err: /not 16 to 128 printable ASCII characters/ });
    if (bad.length > 4) t.notOk(refused.err.includes(bad.slice(0, 16)), 'and does not repeat it');
  }
  const asArgument = await run([...args('AKIABAD'), SECRET], SECRET);
  t.match(asArgument, { code: 2, err: /too many arguments/ });
  t.notOk(asArgument.err.includes(SECRET), 'a secret given as an argument is not repeated');
  const asId = await run(['access-key', 'import', SECRET, '--owner', 'legacy'], SECRET);
  t.match(asId, { code: 2, err: /access key id/ });
  t.notOk(asId.err.includes(SECRET), 'nor one given in place of the id');
  t.match(await run([...args('AKIABAD'), '--secret', SECRET]), { code: 2, err: /unknown option '--secret'/ });
  const missing = await keydctl([...args('AKIABAD'), '--secret-file', join(t.testdirName, 'nowhere')], { env });
  t.match(missing, { code: 1, err: /ENOENT/ });
  t.match(await run(['access-key', 'show', 'AKIABAD']), { code: 1, err: /not-found/ });
});

const withoutScript =
  spawnSync('script', ['--version']).status !== 0 &&
  'SKIPPED: script(1) of util-linux is not installed, so no terminal';

t.test('a secret typed on a terminal is not shown', { skip: withoutScript }, async (t) => {
  const { env, json } = await operator(t);
  const command = `'${process.execPath}' '${MAIN}' access-key import AKIATYPED --owner legacy`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, ...env } });
  let seen = '';
  let isTyped = false;
  terminal.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    // Typed only after the question: before it, the terminal itself would echo.
    if (isTyped || !seen.includes('not shown')) return;
    isTyped = true;
    terminal.stdin.write(`${SECRET}\r`);
  });
  const code = await new Promise((resolve) => terminal.once('close', resolve));
  t.equal(code, 0, seen);
  t.match(seen, /AKIATYPED/);
  t.notOk(seen.includes(SECRET.slice(0, 8)), 'not a part of it');
  t.match(await json(['access-key', 'show', 'AKIATYPED']), { status: 'enabled', owner: 'legacy' });
});

t.test('status: who is up, who holds keys for which days', async (t) => {
  const { master, run, json, clock } = await operator(t);
  const { accessKeyId } = await json(['access-key', 'create', '--owner', 'ci']);
  const date = parseScopeDate(new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', ''))!;
  await (await master.region('us-east-1')).issue({ date, accessKeyIds: [String(accessKeyId)] });
  const status = await json(['status']);
  t.match(status, { accessKeys: { enabled: 1, disabled: 0 } });
  t.match(status, {
    regions: [{ spiffeId: 'spiffe://keyd.test/region/us-east-1/r1', issued: [{ date, accessKeys: 1 }] }],
  });
  const { code, out } = await run(['status']);
  t.equal(code, 0);
  t.match(out, /TIER +STATE +FEED +GOES ON ALONE +TOMORROW +CERTIFICATE +UP FOR +VERSION\n/);
  t.match(out, /\/region\/us-east-1\/r1 +never heard of/);
  const day = new Date(clock.now()).toISOString().slice(0, 10);
  t.match(out, new RegExp(`/region/us-east-1/r1 +${day} +1 +\\d+s ago`));
  await json(['identity', 'ban', 'region', 'us-east-1', 'r1', '--reason', 'broken into']);
  t.match((await run(['status'])).out, /\/region\/us-east-1\/r1 +shut out/);
  t.match(await json(['status']), { bans: [{ spiffeId: 'spiffe://keyd.test/region/us-east-1/r1' }] });
});

t.test('status does not let a tier write to the terminal', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  const at = new Date().toISOString();
  const parents = [
    { url: 'https://near:8443', isHealthy: false, isChosen: false, since: at, failure: 'no answer\u0007' },
    { url: 'https://far:8443', isHealthy: true, isChosen: true, since: at, answeredAt: at },
  ];
  const keys = {
    autonomySeconds: 59,
    daysHeld: 1,
    keysHeld: 3,
    mostKeysADay: 9,
    memoryBytes: 2 ** 20,
    prefetchLag: { accessKeys: 2, seconds: 7_300 },
    misses: { asked: 0, absent: 0, refused: 0, failed: 0 },
  };
  const feed = { version: 7, at: new Date(Date.parse(at) - 61_000).toISOString() };
  const version = '1\u001b[2J\u0007';
  const report = { startedAt: at, version, certificateExpiresAt: at, heldDays: [], parents, keys, feed };
  const edge = { spiffeId: 'spiffe://keyd.test/edge/a/s3/\u001b]0;owned\u0007', heardAt: at, report };
  const region = { spiffeId: 'spiffe://keyd.test/region/a/r', region: 'a', heardAt: at, issued: [], edges: [edge] };
  const accessKeys = { enabled: 0, disabled: 0, changesInFeed: 0 };
  const answer = { at, masters: [], accessKeys, regions: [region], bans: [] };
  const server = await scriptedMaster(t, await authority.credentials({ role: 'master', name: 'm' }), () => answer);
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const env = { KEYD_MASTER: server.url, KEYD_CREDENTIALS: credentials };
  const { code, out } = await keydctl(['status'], { env, isTerminal: true });
  t.equal(code, 0);
  for (const sent of ['\u0007', '\u001b[2J', '\u001b]']) t.notOk(out.includes(sent), JSON.stringify(sent));
  t.match(out, /\/edge\/a\/s3\/\ufffd\]0;owned\ufffd/);
  t.match(out, /https:\/\/near:8443 +.*put aside for 0s: no answer\ufffd.* never\n/);
  t.match(out, /owned\ufffd +.*up.* +.*61s old.* +.*59s.* +.*2 missing for 2h/);
  t.match(out, /\(first\) +https:\/\/far:8443 +.*well.* 0s ago\n/);
});

t.test('every refusal of the master has its exit code, one line, and a JSON document', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  let refusal: ErrorCode = 'internal-error';
  const server = await scriptedMaster(t, await authority.credentials({ role: 'master', name: 'm' }), () => {
    throw new KeydError(refusal, { detail: 'a detail' });
  });
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const env = { KEYD_MASTER: server.url, KEYD_CREDENTIALS: credentials };
  const notPermitted = ['not-authenticated', 'role-not-allowed', 'identity-banned'];
  const unreachable = ['custody-unavailable', 'database-unavailable', 'parent-unavailable', 'not-ready'];
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    refusal = code;
    const expected = notPermitted.includes(code) ? 77 : unreachable.includes(code) ? 69 : 1;
    const { code: exitCode, out, err } = await keydctl(['status', '--json'], { env });
    t.equal(exitCode, expected, code);
    t.match(err, /^keydctl: error: [^\n]+\.\n$/);
    t.match(JSON.parse(out), { error: { exitCode: expected, message: String, next: String } });
    if (code !== 'parent-unavailable') t.match(JSON.parse(out), { error: { code, next: ERRORS[code][1] } });
  }
});

t.test('a server that is no master, or none at all', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  const stranger = await TestAuthority.create(join(t.testdirName, 'other'));
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const call = (KEYD_MASTER: string): Promise<Result> =>
    keydctl(['access-key', 'create', '--owner', 'x'], { env: { KEYD_MASTER, KEYD_CREDENTIALS: credentials } });
  let asked = 0;
  const count = (): object => ({ asked: (asked += 1) });

  const region = await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r' });
  t.match(await call((await scriptedMaster(t, region, count)).url), { code: 69, err: /region\/us-east-1\/r/ });
  const foreign = await stranger.credentials({ role: 'master', name: 'm' });
  t.match(await call((await scriptedMaster(t, foreign, count)).url), { code: 69, err: /Check --master/ });
  t.equal(asked, 0, 'neither was asked anything');
  const odd = await scriptedMaster(t, await authority.credentials({ role: 'master', name: 'm' }), count);
  t.match(await call(odd.url), { code: 69, err: /in another form/ });

  const closed = createServer();
  const port = await new Promise<number>((resolve) => {
    closed.listen(0, '127.0.0.1', () => {
      const address = closed.address();
      closed.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
  t.match(await call(`https://127.0.0.1:${port}`), { code: 69, err: /cannot be reached \(.*ECONNREFUSED.*--master/ });
  t.match(await call('https://nowhere.invalid:8443'), { code: 69, err: /cannot be reached/ });
});

t.test('who is no operator is told so before anything is sent', async (t) => {
  const { authority, env, run, master } = await operator(t);
  const edge = dirname((await authority.filesOf({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e' })).cert);
  t.match(await run(['status', '--credentials', edge]), { code: 77, err: /not for an operator/ });
  const expired = await keydctl(['status'], { env, now: Date.now() + 2 * 86_400_000 });
  t.match(expired, { code: 77, err: /expired on .*keydctl pki renew/ });
  const stranger = await TestAuthority.create(join(t.testdirName, 'other'));
  const files = await stranger.filesOf({ role: 'operator', name: 'mallory' });
  const ours = await authority.filesOf({ role: 'operator', name: 'alice' });
  const mixed = ['--cert', files.cert, '--key', files.key, '--ca', ours.ca];
  t.match(
    await run(['status', ...mixed]),
    { code: 69, err: /does not accept this certificate/ },
    'of another authority',
  );
  t.match(await run(['status', '--cert', ours.cert, '--key', files.key]), { code: 1, err: /is not the key of/ });
  t.notOk(master.logged.some((line) => line.includes('mallory')));
});

t.test('the command line itself', async (t) => {
  const { env } = await operator(t);
  const cases: readonly (readonly [args: readonly string[], err: RegExp, env?: Readonly<Record<string, string>>])[] = [
    [['status'], /--master is missing/, {}],
    [['status', '--master', 'https://127.0.0.1:1'], /certificate is missing.*--credentials/, {}],
    [['status', '--master', 'https://127.0.0.1:1', '--cert', 'a', '--key', 'b'], /certificate is missing/, {}],
    [['status', '--master', 'http://127.0.0.1:1'], /--master must be https/],
    [['status', '--master', 'https://127.0.0.1:1/path'], /--master must be https/],
    [['status', '--master', 'https://user:pw@127.0.0.1:1'], /--master must be https/],
    [['status', 'now'], /too many arguments/],
    [['access-key', 'create'], /--owner is missing/],
    [['access-key', 'create', '--owner', ' '], /--owner/],
    [['access-key', 'create', '--owner', 'a\u001bb'], /--owner must not contain control characters/],
    [['access-key', 'create', '--owner', 'a', '--expires', 'tomorrow'], /--expires must be like 90d/],
    [['access-key', 'create', '--owner', 'a', '--expires', '0d'], /--expires/],
    [['access-key', 'create', '--owner', 'a', '--expires', '2026-02-30'], /--expires/],
    [['access-key', 'create', '--owner', 'a', '--expires', '2020-01-01'], /--expires lies in the past/],
    [['access-key', 'create', '--owner', 'a', '--region', 'EU'], /--region must be a region name/],
    [['access-key', 'create', '--owner', 'a', '--region', 'a,,b'], /--region/],
    [['access-key', 'create', '--owner', 'a', '--service', 's3/x'], /--service/],
    [['access-key', 'list', '--status', 'gone'], /--status/],
    [['access-key', 'show', '../status'], /access key id/],
    [['access-key', 'show'], /missing required argument/],
    [['access-keys', 'list'], /unknown command 'access-keys' \(Did you mean access-key\?\)/],
  ];
  for (const [args, err, given = env] of cases) {
    const result = await keydctl(args, { env: given });
    t.equal(result.code, 2, args.join(' '));
    t.match(result.err, err);
    t.equal(result.out, '', 'nothing on the output');
  }
});

t.test('help of every command has examples and exit codes', async (t) => {
  const groups = { pki: 8, 'access-key': 12 };
  const commands = [['status']];
  for (const [group, count] of Object.entries(groups)) {
    const { out } = await keydctl([group, '--help']);
    const names = [...out.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name ?? '');
    t.equal(names.length, count, group);
    commands.push(...names.map((name) => [group, name]));
  }
  for (const command of commands) {
    const { code, out, err } = await keydctl([...command, '--help']);
    t.match({ code, err }, { code: 0, err: '' }, command.join(' '));
    t.match(out, new RegExp(`Examples:\n(?:  \\$ .*keydctl ${command.join(' ')}.*\n)+`));
    t.match(out, /--json .*\n[^]*Exit codes:\n {2}0 [^]* {2}2 [^]* {2}69 [^]* {2}77 /);
  }
});

t.test('the program: exit codes, pipes, version', async (t) => {
  const run = (args: readonly string[], env = {}) =>
    spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } });
  t.match(run(['--version']), { status: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  t.match(run([]), { status: 2, stderr: /no command was given/ });
  t.match(run(['status', '--master', 'https://127.0.0.1:1']), { status: 2, stdout: '' });
  const folder = t.testdir();
  const authority = await TestAuthority.create(folder);
  const { cert } = await authority.filesOf({ role: 'operator', name: 'alice' });
  t.match(run(['pki', 'list', join(folder, 'nowhere')]), { status: 1 });
  const env = { KEYD_MASTER: 'https://127.0.0.1:1', KEYD_CREDENTIALS: dirname(cert) };
  t.match(run(['status'], env), { status: 69, stderr: /ECONNREFUSED/ });

  const early = spawn(process.execPath, [MAIN, 'pki', 'list', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  early.stdout.destroy();
  const complaint = await text(early.stderr);
  t.equal(complaint, '', 'a reader that goes away is no failure');
  t.match(readFileSync(MAIN, 'utf8'), /^#!\/usr\/bin\/env node\n/);
});
