import {
  accessKey,
  COUNTED_CALLS_PATH,
  countedCalls,
  COUNTS_KEPT_MS,
  createSignerKey,
  DERIVATIONS_PATH,
  derivationAnswer,
  MOST_SECRETS_A_CALL,
  parseSignerPrivateKey,
  parseSignerPublicKey,
  sealForSigner,
  type CountedCalls,
  type DerivationAnswer,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';
import { fileCustody } from '@sigv4-keyd/master-keyd';
import { DAY_MS, exportKRegion, kRegionBytes, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { hmac, startMaster } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
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

t.test('seals are of a kind: what a key file can be, and what a seal can be', async (t) => {
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
