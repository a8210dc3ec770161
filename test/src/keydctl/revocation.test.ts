import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exportFeedKey } from '@sigv4-keyd/revocation';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { NOON, sharedFeedKeys, startMaster } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { keydctl, keydctlJson, type Call, type Result } from './keydctl-under-test.js';

t.setTimeout(120_000);

/** A real master that has issued keys of two access keys to two regions, and its operator's keydctl. */
async function operator(t: Test) {
  const folder = t.testdir();
  const clock = new VirtualClock(NOON);
  const authority = await TestAuthority.create(folder);
  const master = await startMaster(t, { clock, authority });
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const env = { KEYD_MASTER: `https://${master.service.addresses['hop'] ?? ''}`, KEYD_CREDENTIALS: credentials };
  const run = (args: readonly string[], call: Call = {}): Promise<Result> => keydctl(args, { env, ...call });
  const json = (...args: readonly string[]): Promise<Record<string, unknown>> => keydctlJson(args, { env });
  const ids: string[] = [];
  for (const owner of ['shop', 'backups']) {
    ids.push(String((await json('access-key', 'create', '--owner', owner))['accessKeyId']));
  }
  for (const region of ['us-east-1', 'eu-west-1']) {
    await (await master.region(region)).issue({ date: scopeDateOf(clock.now()), accessKeyIds: ids });
  }
  return { folder, clock, master, env, run, json, ids };
}

const SCOPE = ['--region', 'us-east-1', '--from', '2026-11-20'];
const WHY = ['--incident', 'INC-7', '--reason', 'edge broken into'];

t.test('revoke: the dry run shows it, a terminal asks for the incident id, --yes does not', async (t) => {
  const { run, json, ids } = await operator(t);
  const dry = await run(['revoke', ...SCOPE, ...WHY, '--dry-run']);
  t.match(dry, { code: 0, out: /state +not published/ });
  for (const id of ids) t.ok(dry.out.includes(id), 'the access keys in it');
  t.match(dry.out, /spiffe:\/\/keyd\.test\/region\/us-east-1\/r1/, 'and who was given their keys');
  t.notMatch(dry.out, /region\/eu-west-1\/r1/);
  t.match(dry.out, /every region other than us-east-1/, 'what remains good');
  t.match(dry.out, /honest clients are refused, too/);
  t.match(dry.out, /New access keys are hit as well, since --issued-before was not given/);
  t.same((await json('revocation', 'list'))['revocations'], [], 'nothing was done');

  const leaked = await run(['revoke', '--access-key', ids[0] ?? '', '--from', '2026-11-20', ...WHY, '--dry-run']);
  t.match(leaked.out, /new access key for the client[^]*rotate it, or delete it[^]*Other access keys are not hit/);
  t.notMatch(leaked.out, /--issued-before|identity ban/, 'of one access key other ways lead back');

  t.match(await run(['revoke', ...SCOPE, ...WHY]), { code: 2, err: /no terminal.*--dry-run.*--yes/ });
  for (const input of ['yes\n', 'INC-8\n', '\n', '']) {
    const refused = await run(['revoke', ...SCOPE, ...WHY], { input, isTerminal: true });
    t.match(refused, { code: 1, err: /Issued to[^]*Type INC-7 to go on/ }, JSON.stringify(input));
  }
  t.same((await json('revocation', 'list'))['revocations'], [], 'still nothing');

  const typed = await run(['revoke', ...SCOPE, ...WHY], { input: 'INC-7\n', isTerminal: true });
  t.match(typed, { code: 0, out: /published: in force/ });
  const answer = await json('revoke', ...SCOPE, ...WHY, '--to', '2026-11-21', '--service', 's3', '--yes');
  t.match(answer, {
    published: true,
    statement: { region: 'us-east-1', service: 's3', from: '20261120', to: '20261121', incident: 'INC-7' },
  });
  t.match(await run(['revocation', 'list']), { out: /INC-7 +in force .*us-east-1[^]*INC-7 +in force/ });
});

t.test('revoke --issued-before: now is the time of the master; instants and days are taken, too', async (t) => {
  const { json, run, clock } = await operator(t);
  const before = async (when: string): Promise<unknown> => {
    const { statement } = await json('revoke', ...SCOPE, ...WHY, '--issued-before', when, '--dry-run');
    return (statement as { issuedBefore: number }).issuedBefore;
  };
  t.equal(await before('now'), clock.now());
  t.equal(await before('2026-11-22'), Date.parse('2026-11-22T00:00:00Z'));
  t.equal(await before('2026-11-22T09:30:00+01:00'), Date.parse('2026-11-22T08:30:00Z'));
  const dry = await run(['revoke', ...SCOPE, ...WHY, '--issued-before', 'now', '--dry-run']);
  t.match(dry.out, /Access keys created from 2026-11-22T12:00:00Z on work at once/);
});

t.test('revoke refuses what it cannot understand, and says what to do', async (t) => {
  const { run } = await operator(t);
  const cases: readonly (readonly [args: readonly string[], code: number, err: RegExp])[] = [
    [[...WHY, '--region', 'us-east-1', '--dry-run'], 2, /--from is missing/],
    [[...WHY, '--from', '2026-11-31', '--dry-run'], 2, /--from must be a UTC day/],
    [[...WHY, '--from', '2026-11-22', '--to', '2026-11-21', '--dry-run'], 2, /--to lies before --from/],
    [[...WHY, '--region', 'US EAST', '--from', '2026-11-22'], 2, /--region must be a region name/],
    [[...WHY, '--from', '2026-11-22', '--issued-before', 'yesterday'], 2, /--issued-before must be now/],
    [['--from', '2026-11-22', '--incident', 'INC 7', '--reason', 'x'], 2, /--incident must be an incident id/],
    [['--from', '2026-11-22', '--incident', 'INC-7', '--yes'], 2, /--reason is missing/],
    [[...WHY, '--from', '2026-11-22', '--access-key', 'AKIANOBODY', '--yes'], 1, /never an access key/],
  ];
  for (const [args, code, err] of cases) t.match(await run(['revoke', ...args]), { code, err }, args.join(' '));
});

t.test('a lift: requested here, signed on another machine, submitted here', async (t) => {
  const { run, json, folder } = await operator(t);
  const { root, beacon } = await sharedFeedKeys();
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('root.jwk'), JSON.stringify(exportFeedKey(root)), { mode: 0o600 });
  writeFileSync(at('beacon.jwk'), JSON.stringify(exportFeedKey(beacon)), { mode: 0o600 });
  const { statement } = (await json('revoke', ...SCOPE, ...WHY, '--yes')) as { statement: { id: string } };
  const other = (await json('revoke', '--region', 'eu-west-1', '--from', '2026-11-20', ...WHY, '--yes')) as {
    statement: object;
  };

  const shown = await run(['revocation', 'show', statement.id.slice(0, 8)]);
  t.match(shown, { code: 0, out: /state +in force[^]*made +.* by spiffe:\/\/keyd\.test\/operator\/alice/ });
  const request = ['revocation', 'lift', 'request', statement.id, '--reason', 'wrong region', '--out'];
  t.match(await run([...request, at('lift.json')]), { code: 0, out: /lifts +every access key, in region us-east-1/ });
  t.match(await run([...request, at('lift.json')]), { code: 1, err: /EEXIST/ }, 'nothing is overwritten');

  // No setting of the master, no credentials, no network: files alone.
  const sign = (file: string, key: string, out: string): Promise<Result> =>
    keydctl(['revocation', 'lift', 'sign', at(file), '--root-key', at(key), '--out', at(out)], { env: {} });
  t.match(await sign('lift.json', 'beacon.jwk', 'lift.jws'), {
    code: 1,
    err: /a beacon key; a lift takes the root key/,
  });
  t.match(await sign('root.jwk', 'root.jwk', 'lift.jws'), { code: 1, err: /no request of a lift/ });
  t.match(await sign('lift.json', 'lift.json', 'lift.jws'), { code: 1, err: /form of one/ });
  const made = JSON.parse(readFileSync(at('lift.json'), 'utf8')) as { lift: object };
  writeFileSync(at('swapped.json'), JSON.stringify({ lift: made.lift, revocation: other.statement }));
  t.match(await sign('swapped.json', 'root.jwk', 'lift.jws'), { code: 1, err: /not of the revocation beside it/ });
  writeFileSync(at('short.json'), JSON.stringify({ ...made, lift: { ...made.lift, to: '20261121' } }));
  t.match(await sign('short.json', 'root.jwk', 'lift.jws'), { code: 1, err: /does not end with the revocation/ });
  t.match(await sign('lift.json', 'root.jwk', 'lift.jws'), {
    code: 0,
    out: /lifts +every access key, in region us-east-1/,
  });

  t.match(await run(['revocation', 'lift', 'submit', at('lift.json')]), { code: 1, err: /malformed-request/ });
  t.match(await run(['revocation', 'lift', 'submit', at('lift.jws')]), { code: 0, out: /state +published/ });
  t.match(await run(['revocation', 'lift', 'submit', at('lift.jws')]), { code: 1, err: /lifted already/ });
  t.match((await run(['revocation', 'show', statement.id])).out, /state +lifted[^]*lifted because +wrong region/);
  t.match(await run([...request, at('again.json')]), { code: 1, err: /lifted already/ });
  t.match((await run(['revocation', 'list'])).out, /lifted .*us-east-1[^]*in force .*eu-west-1/);
  t.match(await run(['revocation', 'show', 'ffffffff']), { code: 1, err: /no revocation of this id/ });
  t.match(await run(['revocation', 'show', '']), { code: 2, err: /at least 4/ });
});

t.test('identities are banned and let back in, named by their parts or whole', async (t) => {
  const { run, json } = await operator(t);
  t.match(await run(['identity', 'list']), { out: /Nobody is banned/ });
  const edge = ['edge', 'us-east-1', 's3', 'edge-1'];
  const banned = await run(['identity', 'ban', ...edge, '--reason', 'broken into']);
  t.match(banned, { code: 0, out: /spiffe:\/\/keyd\.test\/edge\/us-east-1\/s3\/edge-1[^]*keydctl revoke/ });
  t.match(await run(['identity', 'ban', ...edge, '--reason', 'again']), { code: 1, err: /already-exists/ });
  const region = 'spiffe://keyd.test/region/us-east-1/r1';
  await json('identity', 'ban', region, '--reason', 'broken into');
  const { bans } = (await json('identity', 'list')) as { bans: { spiffeId: string; by: string }[] };
  t.match(bans, [
    { spiffeId: 'spiffe://keyd.test/edge/us-east-1/s3/edge-1', by: 'spiffe://keyd.test/operator/alice' },
    { spiffeId: region },
  ]);
  t.match(await run(['identity', 'unban', ...edge]), { code: 0, out: /let back in/ });
  t.match(await run(['identity', 'unban', ...edge]), { code: 1, err: /is not banned/ });
  t.match((await run(['identity', 'list'])).out, /region\/us-east-1\/r1 .*broken into/);
  t.match(await run(['identity', 'ban', 'operator', 'bob', '--reason', 'x']), {
    code: 1,
    err: /a region, an edge or a deputy/,
  });
  t.match(await run(['identity', 'ban', 'tower', 'one', '--reason', 'x']), {
    code: 2,
    err: /no identity of sigv4-keyd/,
  });
});
