import {
  accessKey,
  COUNTED_CALLS_PATH,
  countedCalls,
  COUNTS_KEPT_MS,
  createSignerKey,
  DERIVATIONS_PATH,
  derivationAnswer,
  derivationRequest,
  MOST_SECRETS_A_CALL,
  openForSigner,
  parseSignerPrivateKey,
  parseSignerPublicKey,
  sealForSigner,
  type CountedCalls,
  type DerivationAnswer,
  type DerivationRequest,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';
import { configuration, fileCustody } from '@sigv4-keyd/master-keyd';
import { ConfigurationError, createMtlsApp, listen, readConfiguration } from '@sigv4-keyd/service-skeleton';
import { DAY_MS, exportKRegion, kRegionBytes, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { compactDecrypt, CompactEncrypt } from 'jose';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { keydctl } from '../keydctl/keydctl-under-test.js';
import { capturedLog, environment, hmac, startMaster, type MasterUnderTest } from '../master-keyd/master-under-test.js';
import { valueAt } from '../metrics/scrape.js';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { insertAccessKeys, madeUpIds } from '../support/made-up-access-keys.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { requireIssued } from './ceremony.js';
import { keeperContract } from './contract.js';
import { externalKeeper, externalSettings, startSigner, type SignerUnderTest } from './signer-under-test.js';

t.setTimeout(120_000);

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const NAME = { accessKeyId: 'AKIAEXTERNAL', version: 3 };
const TODAY = day('20261122');
const MASTER = { role: 'master', name: 'm1' } as const;
const OPERATOR = { role: 'operator', name: 'alice' } as const;

const authorityOf = (t: Test): Promise<TestAuthority> => TestAuthority.create(newStateFolder(t));
const expected = (secret: string, date: string): Buffer => hmac(`AWS4${secret}`, date);

async function sealed(signer: SignerUnderTest, name = NAME, secret = SECRET): Promise<string> {
  const key = parseSignerPublicKey(signer.key.publicJwk);
  if (!key) throw new Error('a made key is read');
  return sealForSigner(key, name, Buffer.from(secret));
}

const derive = (peer: PeerClient, body: object): Promise<DerivationAnswer> =>
  peer.call({ method: 'POST', path: DERIVATIONS_PATH, body, answer: derivationAnswer });
const countsOf = (peer: PeerClient, from = 0): Promise<CountedCalls> =>
  peer.call({ method: 'GET', path: `${COUNTED_CALLS_PATH}?from=${from}`, answer: countedCalls });

/** A database with the schema of a master. */
async function preparedDatabase(t: Test, authority: TestAuthority): Promise<string> {
  const database = await freshDatabase(t);
  await (await startMaster(t, { authority, database })).service.close();
  await runSql(database, 'DELETE FROM custody_check');
  return database;
}

t.test('the contract, over mTLS', async (t) => {
  const authority = await authorityOf(t);
  const database = await preparedDatabase(t, authority);
  const [key, old, other] = [createSignerKey(), createSignerKey(), createSignerKey()];
  const signer = await startSigner(t, { authority, key, before: old });
  const elsewhere = await startSigner(t, { authority, key: other });
  const urls = [signer.url];
  await keeperContract(t, {
    custody: await externalKeeper(t, { authority, database, urls, key, before: old }),
    reopened: await externalKeeper(t, { authority, database, urls, key: old, before: key }),
    stranger: await externalKeeper(t, { authority, database, urls: [elsewhere.url], key: other }),
    derivesKeyPairs: true,
    dates: ['20261115', '20261121', '20261122', '20261123'].map((date) => day(date)),
  });
});

t.test('a signer judges by itself: dates by its own clock, roles by certificates, seals by their names', async (t) => {
  const authority = await authorityOf(t);
  const signer = await startSigner(t, { authority });
  const master = await signer.clientOf(MASTER);
  const secrets = [{ ...NAME, sealed: await sealed(signer) }];
  const asked = (more: object = {}) => ({ call: randomUUID(), want: 'kDate', date: TODAY, secrets, ...more });
  const request = asked();
  t.same(await derive(master, request), {
    call: request.call,
    made: [expected(SECRET, TODAY).toString('base64')],
  });

  const dateOf = (days: number) => scopeDateOf(signer.clock.now() + days * DAY_MS);
  for (const days of [-7, -1, 0, 1]) t.equal((await derive(master, asked({ date: dateOf(days) }))).made.length, 1);
  for (const days of [-30, -9, 2, 365]) {
    await t.rejects(derive(master, asked({ date: dateOf(days) })), { code: 'date-outside-window' }, `${days} days`);
  }
  for (const identity of [
    OPERATOR,
    { role: 'signer', name: 's2' },
    { role: 'region', region: 'us-east-1', name: 'r1' },
    { role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' },
  ] as const) {
    const peer = await signer.clientOf(identity);
    await t.rejects(derive(peer, asked()), { code: 'role-not-allowed' }, identity.role);
    if (identity.role !== 'operator') await t.rejects(countsOf(peer), { code: 'role-not-allowed' }, identity.role);
  }
  await t.rejects(countsOf(master), { code: 'role-not-allowed' });

  const moved = [
    { ...NAME, accessKeyId: 'AKIAOTHER', sealed: await sealed(signer) },
    { ...NAME, version: 4, sealed: await sealed(signer) },
    { ...NAME, sealed: `${await sealed(signer)}A` },
    ...secrets,
  ];
  for (const want of ['kDate', 'publicKey', 'seal']) {
    const { made } = await derive(master, {
      ...{ call: randomUUID(), want, secrets: moved },
      ...(want === 'kDate' && { date: TODAY }),
    });
    t.same(made.slice(0, 3), [null, null, null], want);
    t.type(made[3], 'string', want);
  }
  for (const body of [
    asked({ secrets: [] }),
    asked({ call: 'one' }),
    asked({ want: 'kSecret' }),
    asked({ want: 'seal' }),
    asked({ date: undefined }),
    asked({ region: 'eu-west-1' }),
    asked({ secrets: Array.from({ length: MOST_SECRETS_A_CALL + 1 }, () => secrets[0]) }),
  ]) {
    await t.rejects(derive(master, body), { code: 'malformed-request' });
  }
  const text = signer.logged.join('');
  t.notOk(
    text.includes(SECRET) || text.includes(expected(SECRET, TODAY).toString('base64')),
    'nothing secret is logged',
  );
});

t.test('each call is counted on disk before it is answered, and old ones are forgotten', async (t) => {
  const authority = await authorityOf(t);
  let isFull = false;
  const stateFolder = newStateFolder(t);
  const first = await startSigner(t, {
    authority,
    stateFolder,
    async makeDurable(handle) {
      if (isFull) throw Object.assign(new Error('on purpose'), { code: 'EIO' });
      await handle.datasync();
    },
  });
  const master = await first.clientOf(MASTER);
  const operator = await first.clientOf(OPERATOR);
  const good = { ...NAME, sealed: await sealed(first) };
  const secrets = [good, { ...good, version: 9 }, good];
  const call = randomUUID();
  await derive(master, { call, want: 'kDate', date: TODAY, secrets });
  const counted = {
    ...{ call, want: 'kDate', date: TODAY, given: 2 },
    at: new Date(first.clock.now()).toISOString(),
    master: 'spiffe://keyd.test/master/m1',
  };
  t.same(await countsOf(operator), { calls: [counted] }, 'what opened counts, and to whom it was given');

  isFull = true;
  const refused = { call: randomUUID(), want: 'seal', secrets };
  await t.rejects(derive(master, refused), { code: 'journal-unavailable' }, 'what cannot be counted is not answered');
  t.equal((await fetch(`http://${first.service.addresses['health'] ?? ''}/health/ready`)).status, 503);
  isFull = false;
  await derive(master, refused);
  t.same(
    (await countsOf(operator)).calls.map(({ call }) => call),
    [call, refused.call],
  );
  await first.service.close();

  const again = await startSigner(t, { authority, stateFolder, key: first.key });
  const next = await again.clientOf(OPERATOR);
  t.equal((await countsOf(next)).calls.length, 2, 'after a restart');
  t.same(await countsOf(next, 3), { calls: [] });
  again.clock.advance(COUNTS_KEPT_MS - DAY_MS);
  await derive(await again.clientOf(MASTER), { call: randomUUID(), want: 'seal', secrets });
  await again.service.close();

  const { clock } = again;
  clock.advance(2 * DAY_MS);
  const last = await startSigner(t, { authority, stateFolder, key: first.key, clock });
  t.equal((await countsOf(await last.clientOf(OPERATOR))).calls.length, 1, 'the old ones are gone');
});

t.test('the settings of a master with a signer are told all at once', async (t) => {
  const authority = await authorityOf(t);
  const custodyKey = randomBytes(32);
  const complete = await environment(authority, { database: 'postgres://keyd@127.0.0.1/keyd', custodyKey });
  const key = createSignerKey();
  const settings = externalSettings([new URL('https://127.0.0.1:8443')], key);
  const problemsOf = (env: Readonly<Record<string, string>>): readonly string[] => {
    try {
      readConfiguration(configuration, { ...complete, ...env });
      return [];
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
  };
  t.same(problemsOf(settings), []);
  t.same(problemsOf({ ...settings, KEYD_CUSTODY_KEY_BEFORE: custodyKey.toString('base64') }), []);
  t.same(problemsOf({ KEYD_CUSTODY: 'external', KEYD_RECOVERY_KEY: randomBytes(32).toString('base64') }), [
    'KEYD_CUSTODY_KEY has no meaning with KEYD_CUSTODY=external; leave it out',
    'KEYD_RECOVERY_KEY has no meaning with KEYD_CUSTODY=external; leave it out',
    'KEYD_SIGNERS is missing',
    'KEYD_SIGNER_KEY is missing',
  ]);
  t.same(problemsOf({ ...settings, KEYD_CUSTODY: 'file', KEYD_SIGNER_KEY_BEFORE: key.publicJwk }), [
    'KEYD_CUSTODY_KEY is missing',
    'KEYD_SIGNERS has no meaning with KEYD_CUSTODY=file; leave it out',
    'KEYD_SIGNER_KEY has no meaning with KEYD_CUSTODY=file; leave it out',
    'KEYD_SIGNER_KEY_BEFORE has no meaning with KEYD_CUSTODY=file; leave it out',
  ]);
  const [problem = ''] = problemsOf({ ...settings, KEYD_SIGNER_KEY: key.privateJwk });
  t.match(problem, /^KEYD_SIGNER_KEY must be the JWK of a signer key without its private half/);
  t.notOk(problem.includes('"d"'), 'and it is not quoted');
});

t.test('a seal has one spelling', async (t) => {
  const key = parseSignerPrivateKey(createSignerKey().privateJwk);
  if (!key) throw new Error('a made key is read');
  const seal = await sealForSigner(key, NAME, Buffer.from(SECRET));
  // The last letter of the tag, of the ciphertext, and of the header: some bits of them decode to nothing.
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=';
  for (const place of [seal.length - 1, seal.lastIndexOf('.') - 1, seal.indexOf('.') - 1]) {
    const opening: string[] = [];
    for (const letter of letters) {
      const spelled = seal.slice(0, place) + letter + seal.slice(place + 1);
      if (openForSigner([key], NAME, spelled)) opening.push(letter);
    }
    t.same(opening, [seal[place]], `letter ${place}`);
  }
  t.equal(openForSigner([key], NAME, `${seal}=`), undefined);
  t.equal(openForSigner([key], NAME, ` ${seal}`), undefined);
});

t.test('a seal is a JWE: what opens here, another library opens, and the other way round', async (t) => {
  const key = parseSignerPrivateKey(createSignerKey().privateJwk);
  if (!key) throw new Error('a made key is read');
  for (const secret of [SECRET, 'x', 'y'.repeat(128)]) {
    const seal = await sealForSigner(key, NAME, Buffer.from(secret));
    const { plaintext, protectedHeader } = await compactDecrypt(seal, key.privateKey);
    t.same([Buffer.from(plaintext), openForSigner([key], NAME, seal)], [Buffer.from(secret), Buffer.from(secret)]);
    t.match(protectedHeader, { ...NAME, alg: 'ECDH-ES', enc: 'A256GCM', kid: key.id });
  }
  const head = { alg: 'ECDH-ES', enc: 'A256GCM', kid: key.id, ...NAME };
  const made = (more: object) =>
    new CompactEncrypt(Buffer.from(SECRET)).setProtectedHeader({ ...head, ...more }).encrypt(key.key);
  t.ok(openForSigner([key], NAME, await made({})));
  for (const more of [
    { enc: 'A128GCM' },
    { zip: 'DEF' },
    { typ: 'JWE' },
    { apu: 'QQ' },
    { version: '3' },
    { kid: 'x' },
  ]) {
    const other = await made(more).catch(() => 'not made');
    t.equal(openForSigner([key], NAME, other), undefined, JSON.stringify(more));
  }
});

t.test('what the file of a signer key can be', (t) => {
  const { publicJwk, privateJwk, id } = createSignerKey();
  t.equal(parseSignerPublicKey(publicJwk)?.id, id);
  t.equal(parseSignerPrivateKey(privateJwk)?.id, id);
  t.equal(parseSignerPublicKey(privateJwk), undefined, 'a master is not given the private half');
  t.equal(parseSignerPrivateKey(publicJwk), undefined);
  const strange = createSignerKey();
  const mixed = { ...(JSON.parse(privateJwk) as object), d: (JSON.parse(strange.privateJwk) as { d: string }).d };
  t.equal(parseSignerPrivateKey(JSON.stringify(mixed)), undefined, 'x and d of two keys');
  const renamed = { ...(JSON.parse(publicJwk) as object), kid: strange.id };
  t.equal(parseSignerPublicKey(JSON.stringify(renamed)), undefined, 'the id of another');
  t.equal(parseSignerPublicKey('{'), undefined);
  t.end();
});

t.test('a signer that is away, slow or wrong: custody-unavailable, and well again by itself', async (t) => {
  const authority = await authorityOf(t);
  const key = createSignerKey();
  const signer = await startSigner(t, { authority, key });
  const other = await startSigner(t, { authority, key });
  const database = await freshDatabase(t);
  const both = externalSettings([signer.url, other.url], key);
  const master = await startMaster(t, { authority, database, clock: signer.clock, env: both });
  const operator = await master.operator();
  const created = await operator.call({
    method: 'POST',
    path: '/v1/access-keys/import',
    body: { accessKeyId: 'AKIAIMPORTED', secretAccessKey: SECRET, owner: 'ann' },
    answer: accessKey,
  });
  const region = await master.region('us-east-1');
  const issue = () => region.issue({ date: TODAY, accessKeyIds: [created.accessKeyId] });
  const right = hmac(expected(SECRET, TODAY), 'us-east-1');
  const isRight = async (): Promise<boolean> => {
    const kRegion = (await issue()).issued.get(created.accessKeyId)?.key;
    return kRegion !== undefined && exportKRegion(kRegion).equals(right);
  };
  t.ok(await isRight());
  await signer.service.close();
  t.ok(await isRight(), 'the other one is asked');
  await other.service.close();
  await t.rejects(issue(), { code: 'custody-unavailable' });
  const { body } = await master.health('/health/ready');
  t.match(body, { ready: true, warnings: [/no signer answers/] });
  const issuedBefore = await runSql(database, 'SELECT record FROM issuance');
  t.equal(issuedBefore.length, 2, 'nothing was recorded as issued that was not');
  await startSigner(t, { authority, key, clock: signer.clock, port: Number(signer.url.port) });
  t.ok(await isRight(), 'well again');
  t.match((await master.health('/health/ready')).body, { ready: true, warnings: [] });
  const text = master.logged.join('');
  t.notOk(text.includes(SECRET), 'no secret is logged');
});

t.test('an answer to anything else is no answer', async (t) => {
  const authority = await authorityOf(t);
  const database = await preparedDatabase(t, authority);
  const key = createSignerKey();
  const credentials = await authority.credentials({ role: 'signer', name: 'liar' });
  const app = await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log: capturedLog().log });
  let answer: (request: DerivationRequest) => unknown = () => ({});
  app.post(
    DERIVATIONS_PATH,
    { config: { mtls: { roles: ['master'] } }, schema: { body: derivationRequest } },
    (request) => answer(request.body),
  );
  const address = await listen(app, { host: '127.0.0.1', port: 0 }, 'KEYD_LISTEN');
  t.teardown(() => app.close());
  const url = new URL(`https://${address}`);
  const keeper = await externalKeeper(t, { authority, database, urls: [url], key });
  const secret = { ...NAME, sealed: await keeper.seal(NAME, SECRET) };
  const kDate = async () => keeper.kDate(secret, TODAY);
  const made = randomBytes(32).toString('base64');
  answer = ({ call }) => ({ call, made: [made] });
  t.same(kRegionBytes(await kDate(), 'x'), hmac(Buffer.from(made, 'base64'), 'x'), 'the liar is heard at all');
  const lies: readonly [string, typeof answer][] = [
    ['another call', () => ({ call: randomUUID(), made: [made] })],
    ['none', ({ call }) => ({ call, made: [] })],
    ['too many', ({ call }) => ({ call, made: [made, made] })],
    ['too short', ({ call }) => ({ call, made: [randomBytes(31).toString('base64')] })],
    ['too long', ({ call }) => ({ call, made: [randomBytes(64).toString('base64')] })],
    ['no base64', ({ call }) => ({ call, made: ['!'.repeat(44)] })],
    ['another form', () => 'kDate'],
  ];
  for (const [what, lie] of lies) {
    answer = lie;
    await t.rejects(kDate(), { code: 'custody-unavailable' }, what);
  }
  answer = ({ call }) => ({ call, made: [Buffer.from('a.b.c.d.e').toString('base64')] });
  await t.rejects(async () => keeper.reseal(secret), { name: 'SealBroken' }, 'a seal of nothing');
  const other = await startSigner(t, { authority });
  const elsewhere = await sealed(other);
  answer = ({ call }) => ({ call, made: [Buffer.from(elsewhere).toString('base64')] });
  await t.rejects(async () => keeper.reseal(secret), { name: 'SealBroken' }, 'a seal of another key');
  answer = ({ call }) => ({ call, made: [null] });
  await t.rejects(kDate(), { name: 'SealBroken' });
});

/** A master whose secrets a signer opens, and the operator's command line beside it. */
async function mastersWithSigner(t: Test) {
  const authority = await authorityOf(t);
  const signer = await startSigner(t, { authority });
  const database = await freshDatabase(t);
  const start = (env: Readonly<Record<string, string>>, custodyKey = randomBytes(32)) =>
    startMaster(t, { authority, database, clock: signer.clock, custodyKey, env });
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const shell =
    (master: MasterUnderTest) =>
    (...args: string[]) =>
      keydctl(args, {
        env: {
          KEYD_MASTER: `https://${master.service.addresses['hop'] ?? ''}`,
          KEYD_CREDENTIALS: credentials,
          KEYD_SIGNERS: signer.url.origin,
          NO_COLOR: '1',
        },
        now: signer.clock.now(),
      });
  return { authority, signer, database, start, shell, settings: externalSettings([signer.url], signer.key) };
}

t.test('secrets of a database go over from the file keeper, by keydctl custody rotate', async (t) => {
  const { signer, database, start, shell, settings } = await mastersWithSigner(t);
  const custodyKey = randomBytes(32);
  const ids = madeUpIds(300);
  const before = await start({}, custodyKey);
  await insertAccessKeys({ database, custodyKey }, ids);
  await requireIssued(t, before, ids, 'by the file keeper');
  await before.service.close();
  await t.rejects(start(settings), {
    exitCode: 78,
    message: /KEYD_SIGNER_KEY is not the key .*or as KEYD_SIGNER_KEY_BEFORE or KEYD_CUSTODY_KEY_BEFORE/,
  });
  const both = await start({ ...settings, KEYD_CUSTODY_KEY_BEFORE: custodyKey.toString('base64') });
  await requireIssued(t, both, ids, 'with both');
  t.match(await shell(both)('custody', 'rotate'), { code: 0, out: /sealed anew +300\nleft under another key +0/ });
  await requireIssued(t, both, ids, 'by the signer');
  await both.service.close();
  const after = await start(settings);
  await requireIssued(t, after, ids, 'without the custody key');
  const status = await shell(after)('custody', 'status', '--json');
  t.same(JSON.parse(status.out), {
    sealsWith: signer.key.id,
    keys: [{ keyId: signer.key.id, isGiven: true, secrets: 300 }],
    unreadable: [],
  });
  t.match(await shell(after)('custody', 'counts'), {
    code: 0,
    out: /20261122 .* 600 +1200 +600 issued without these/,
  });
  await t.rejects(start({}, custodyKey), { exitCode: 78, message: /KEYD_CUSTODY_KEY is not the key/ }, 'no way back');
});

t.test('a stolen certificate of a master shows in the counts', async (t) => {
  const { signer, database, start, shell, settings } = await mastersWithSigner(t);
  const master = await start({ ...settings, KEYD_METRICS_LISTEN: '127.0.0.1:0' });
  const callsTold = (): Promise<readonly unknown[]> =>
    Promise.all([
      valueAt(signer.service, 'keyd_signer_calls_total'),
      valueAt(master.service, 'keyd_custody_signer_calls_total'),
    ]);
  const counts = shell(master);
  t.match(await counts('custody', 'counts'), { code: 0, out: /No kDate was given or issued/ });
  for (const name of ['ONE', 'TWO']) {
    const operator = await master.operator();
    await operator.call({
      method: 'POST',
      path: '/v1/access-keys/import',
      body: { accessKeyId: `AKIA${name}`, secretAccessKey: SECRET, owner: 'ann' },
      answer: accessKey,
    });
  }
  const region = await master.region('us-east-1');
  const yesterday = day('20261121');
  for (const date of [TODAY, yesterday, TODAY]) {
    t.equal((await region.issue({ date, accessKeyIds: ['AKIAONE', 'AKIATWO'] })).issued.size, 2);
  }
  t.match(await counts('custody', 'counts'), {
    code: 0,
    out: /20261121 .*master\/m1 +2 +2 +the same\n20261122 .*master\/m1 +4 +4 +the same/,
  });
  t.same(await callsTold(), [3, 3], 'metrics tell of as many calls at both ends');

  // What an issuance leaves behind that a crash cut off: recorded, counted, and not issued.
  const [row] = await runSql<{ sealed_secret: Buffer }>(
    database,
    "SELECT sealed_secret FROM access_key WHERE id = 'AKIAONE'",
  );
  const stolen = [{ accessKeyId: 'AKIAONE', version: 1, sealed: row?.sealed_secret.toString('latin1', 9) ?? '' }];
  const thief = await signer.clientOf(MASTER);
  const call = randomUUID();
  await runSql(
    database,
    `INSERT INTO custody_call (id, asked_at, master, want, scope_date, asked)
     VALUES ('${call}', now(), 'spiffe://keyd.test/master/m1', 'kDate', '${TODAY}', 1)`,
  );
  const kDateOf = (id: string): Promise<DerivationAnswer> =>
    derive(thief, { call: id, want: 'kDate', date: TODAY, secrets: stolen });
  await kDateOf(call);
  const cutOff = /20261122 .* 5 +4 +1 given and not issued/;
  t.match(await counts('custody', 'counts'), { code: 0, out: cutOff });
  t.match(await counts('custody', 'counts', '--unissued', '0'), { code: 1, out: cutOff });

  const { made } = await kDateOf(randomUUID());
  t.same(made, [expected(SECRET, TODAY).toString('base64')], 'whoever has the certificate and the seals is served');
  t.same(await callsTold(), [5, 3], 'metrics tell that somebody else asked');
  const shown = await counts('custody', 'counts');
  t.match(shown, { code: 1, out: /1 calls of signers were asked for by no master:\n.*master\/m1 +kDate 20261122 +1/s });
  await kDateOf(call);
  const { code, out } = await counts('custody', 'counts', '--json');
  t.equal(code, 1);
  t.match(JSON.parse(out), { strange: [{ given: 1 }, { given: 1, call }] }, 'a recorded id is good once');
});

t.test('from the file keeper to a signer, and from one signer key to the next', async (t) => {
  const authority = await authorityOf(t);
  const database = await preparedDatabase(t, authority);
  const [fileKey, old, anew] = [randomBytes(32), createSignerKey(), createSignerKey()];
  const signer = await startSigner(t, { authority, key: anew, before: old });
  const urls = [signer.url];
  const file = fileCustody(createSecretKey(fileKey));
  const between = await externalKeeper(t, { authority, database, urls, key: old, fileKey });
  const kept = { ...NAME, sealed: await file.seal(NAME, SECRET) };
  const right = hmac(expected(SECRET, TODAY), 'us-east-1');
  const opens = async (by: typeof between, bytes: Buffer): Promise<boolean> =>
    kRegionBytes(await by.kDate({ ...NAME, sealed: bytes }, TODAY), 'us-east-1').equals(right);

  t.ok(await opens(between, kept.sealed), 'the seal of the file keeper is read');
  const toSigner = await between.reseal(kept);
  t.same(toSigner.subarray(0, between.prefix.length), between.prefix);
  t.equal((await countsOf(await signer.clientOf(OPERATOR))).calls.length, 0, 'sealing needs no call');
  t.ok(await opens(between, toSigner));
  await t.rejects(async () => file.kDate({ ...NAME, sealed: toSigner }, TODAY), { name: 'SealBroken' });

  const rotated = await externalKeeper(t, { authority, database, urls, key: anew, before: old });
  const after = await externalKeeper(t, { authority, database, urls, key: anew });
  await t.rejects(async () => after.kDate({ ...NAME, sealed: toSigner }, TODAY), { name: 'SealBroken' });
  const toAnew = await rotated.reseal({ ...NAME, sealed: toSigner });
  t.same(toAnew.subarray(0, rotated.prefix.length), rotated.prefix);
  t.ok(await opens(after, toAnew));
  await t.rejects(async () => rotated.reseal({ ...NAME, version: 4, sealed: toSigner }), { name: 'SealBroken' });
});
