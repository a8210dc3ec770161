import {
  ACCESS_KEY_IMPORT_PATH,
  accessKey,
  accessKeyPath,
  ACCESS_KEYS_PATH,
  createdAccessKey,
  listedAccessKeys,
  type AccessKey,
  type CreatedAccessKey,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';
import { Client } from 'pg';
import t from 'tap';
import { z } from 'zod';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { runSql } from '../support/postgres.js';
import { change } from './feed-clients.js';
import { NOON, startMaster, TODAY } from './master-under-test.js';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const IN_AN_HOUR = '2026-11-22T13:00:00.000Z';

const create = (operator: PeerClient, body: object = { owner: 'ann' }): Promise<CreatedAccessKey> =>
  operator.call({ method: 'POST', path: ACCESS_KEYS_PATH, body, answer: createdAccessKey });
const importKey = (operator: PeerClient, body: object): Promise<AccessKey> =>
  operator.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: accessKey.strict() });
const show = (operator: PeerClient, id: string): Promise<AccessKey> =>
  operator.call({ method: 'GET', path: accessKeyPath(id), answer: accessKey.strict() });
const act = async (operator: PeerClient, id: string, kind: 'enable' | 'disable' | 'delete'): Promise<AccessKey> => {
  const { accessKeys } = await change(operator, [id], { kind });
  return accessKey.strict().parse(accessKeys[0]);
};
const remove = (operator: PeerClient, id: string): Promise<AccessKey> => act(operator, id, 'delete');
const list = (operator: PeerClient, query = ''): Promise<z.infer<typeof listedAccessKeys>> =>
  operator.call({ method: 'GET', path: `${ACCESS_KEYS_PATH}${query}`, answer: listedAccessKeys });

t.test('the life of an access key', async (t) => {
  const { operator, region, database } = await startMaster(t);
  const alice = await operator('alice');
  const bob = await operator('bob');
  const request = async (id: string): Promise<unknown> => {
    const answer = await (await region('us-east-1')).issue({ date: day(TODAY), accessKeyIds: [id] });
    return answer.absent.get(id) ?? 'issued';
  };

  const restrictions = { owner: 'ann', expiresAt: IN_AN_HOUR, regions: ['us-east-1'], services: ['s3', 'sqs'] };
  const { secretAccessKey, ...made } = await create(alice, restrictions);
  t.match(made.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
  t.match(secretAccessKey, /^[A-Za-z0-9/+]{40}$/);
  t.match(made, { ...restrictions, status: 'enabled', createdAt: '2026-11-22T12:00:00.000Z', version: 1 });
  const id = made.accessKeyId;
  t.same(await show(bob, id), made, 'shown without the secret');
  t.equal(await request(id), 'issued');

  t.equal((await act(bob, id, 'disable')).status, 'disabled');
  t.equal((await act(bob, id, 'disable')).status, 'disabled', 'disabling twice is harmless');
  t.equal(await request(id), 'disabled');
  t.equal((await act(alice, id, 'enable')).status, 'enabled');
  t.equal(await request(id), 'issued');

  t.same(await remove(alice, id), { ...made, status: 'deleted' });
  t.equal(await request(id), 'unknown', 'deleted is told as unknown');
  t.equal((await show(alice, id)).status, 'deleted', 'the tombstone stays');
  t.same(await runSql(database, 'SELECT sealed_secret FROM access_key'), [{ sealed_secret: null }], 'wiped');

  t.same(await remove(alice, id), { ...made, status: 'deleted' }, 'deleting twice is harmless');
  for (const [what, attempt] of [
    ['enable', () => act(alice, id, 'enable')],
    ['disable', () => act(alice, id, 'disable')],
  ] as const) {
    await t.rejects(attempt(), { code: 'wrong-state', detail: /deleted/ }, `${what} of what is deleted`);
  }
  const again = importKey(alice, { owner: 'x', accessKeyId: id, secretAccessKey: SECRET });
  await t.rejects(again, { code: 'already-exists', detail: /never returns/ });

  const actions = await runSql<{ action: string; spiffe_id: string; access_key_id: string; detail: object }>(
    database,
    'SELECT action, spiffe_id, access_key_id, detail FROM operator_action',
  );
  const by = (name: string): string => `spiffe://${TRUST_DOMAIN}/operator/${name}`;
  t.same(
    actions.map(({ action, spiffe_id: who }) => `${action} ${who}`).sort(),
    [
      `create ${by('alice')}`,
      `delete ${by('alice')}`,
      `delete ${by('alice')}`,
      `disable ${by('bob')}`,
      `disable ${by('bob')}`,
      `enable ${by('alice')}`,
    ],
    'what was done is recorded, what was refused is not',
  );
  t.ok(actions.every(({ access_key_id: recorded }) => recorded === id));
  t.match(actions.find(({ action }) => action === 'create')?.detail, restrictions);
  await t.rejects(runSql(database, 'DELETE FROM operator_action'), /append-only/);
  await t.rejects(runSql(database, "UPDATE operator_action SET action = 'x'"), /append-only/);
});

t.test('imported access keys keep their id and secret, once', async (t) => {
  const { operator, database } = await startMaster(t);
  const alice = await operator();
  const body = { owner: 'old system', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET };
  t.match(await importKey(alice, body), { accessKeyId: 'AKIDEXAMPLE', owner: 'old system', status: 'enabled' });
  const conflicting = { ...body, owner: 'thief', secretAccessKey: 'another-secret-altogether' };
  const before = await runSql(database, 'SELECT * FROM access_key');
  await t.rejects(importKey(alice, conflicting), { code: 'already-exists' });
  t.same(await runSql(database, 'SELECT * FROM access_key'), before, 'nothing was changed');
  const longest = `K${'_'.repeat(127)}`;
  await importKey(alice, { ...body, accessKeyId: longest });
  t.equal((await show(alice, longest)).accessKeyId, longest, 'the longest id fits into a path');
  t.equal((await act(alice, longest, 'disable')).status, 'disabled');
  const races = Array.from({ length: 8 }, () => importKey(alice, { ...body, accessKeyId: 'AKIDRACE' }));
  const outcomes = await Promise.allSettled(races);
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1, 'of imports at once, one succeeds');
});

t.test('lists come in pages, filtered', async (t) => {
  const { operator } = await startMaster(t);
  const alice = await operator();
  const ids = ['aaa', 'AKIA1', 'AKIA_2', 'Zed', 'bbb'];
  for (const [index, accessKeyId] of ids.entries()) {
    await importKey(alice, { owner: index % 2 ? 'odd' : 'even', accessKeyId, secretAccessKey: SECRET });
  }
  await act(alice, 'Zed', 'disable');
  await remove(alice, 'bbb');
  const idsOf = async (query: string): Promise<readonly string[]> =>
    (await list(alice, query)).accessKeys.map(({ accessKeyId }) => accessKeyId);
  t.same(await idsOf(''), ['AKIA1', 'AKIA_2', 'Zed', 'aaa'], 'by the bytes of the ids, without the deleted');
  t.same(await idsOf('?status=deleted'), ['bbb']);
  t.same(await idsOf('?status=disabled'), ['Zed']);
  t.same(await idsOf('?owner=odd&status=enabled'), ['AKIA1']);
  t.same(await idsOf('?owner=nobody'), []);
  const first = await list(alice, '?limit=2');
  t.equal(first.next, 'AKIA_2');
  const second = await list(alice, `?limit=2&after=${first.next ?? ''}`);
  t.same(
    second.accessKeys.map(({ accessKeyId }) => accessKeyId),
    ['Zed', 'aaa'],
  );
  t.equal(second.next, undefined, 'the last page says so');
  for (const query of ['?limit=0', '?limit=1001', '?limit=x', '?after=a/b', '?status=lost']) {
    await t.rejects(list(alice, query), { code: 'malformed-request' }, query);
  }
});

t.test('hostile input is refused with a reason and changes nothing', async (t) => {
  const { operator, database } = await startMaster(t);
  const alice = await operator();
  const good = { owner: 'ann', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET };
  const table: readonly (readonly [string, unknown])[] = [
    ['nothing', {}],
    ['a list', []],
    ['a text', 'x'],
    ['no owner', { ...good, owner: undefined }],
    ['an empty owner', { ...good, owner: '   ' }],
    ['a long owner', { ...good, owner: 'o'.repeat(201) }],
    ['an owner with a line break', { ...good, owner: 'a\nb' }],
    ['an owner with a right-to-left mark', { ...good, owner: 'a\u202eb' }],
    ['an id with a slash', { ...good, accessKeyId: 'AKI/../x' }],
    ['an id too short', { ...good, accessKeyId: 'AK' }],
    ['an id too long', { ...good, accessKeyId: 'A'.repeat(129) }],
    ['an id with a NUL', { ...good, accessKeyId: 'AKID\0' }],
    ['an id with other digits', { ...good, accessKeyId: 'AKID\u0661\u0662' }],
    ['a short secret', { ...good, secretAccessKey: 'x'.repeat(15) }],
    ['a long secret', { ...good, secretAccessKey: 'x'.repeat(129) }],
    ['a secret with a space', { ...good, secretAccessKey: `${SECRET} ` }],
    ['a secret with a letter outside ASCII', { ...good, secretAccessKey: `${SECRET}é` }],
    ['a region with capitals', { ...good, regions: ['EU'] }],
    ['no regions', { ...good, regions: [] }],
    ['101 services', { ...good, services: Array.from({ length: 101 }, (_, i) => `s${i}`) }],
    ['a service with a slash', { ...good, services: ['a/b'] }],
    ['an expiry without a zone', { ...good, expiresAt: '2027-01-01T00:00:00' }],
    ['an expiry that is no day', { ...good, expiresAt: '2027-02-30T00:00:00Z' }],
    ['an expiry that is past', { ...good, expiresAt: '2026-11-22T11:59:59Z' }],
    ['an expiry that is now', { ...good, expiresAt: NOON }],
    ['a status', { ...good, status: 'enabled' }],
    ['a version', { ...good, version: 2 }],
    ['a sealed secret', { ...good, sealed: 'x' }],
  ];
  for (const [what, body] of table) {
    const call = { method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.any() } as const;
    await t.rejects(alice.call(call), { code: 'malformed-request', detail: /./ }, what);
  }
  for (const body of [
    { owner: 'ann', accessKeyId: 'AKIDMINE' },
    { owner: 'ann', secretAccessKey: SECRET },
  ]) {
    await t.rejects(create(alice, body), { code: 'malformed-request' }, 'an id or secret cannot be chosen');
  }
  for (const id of ['NOBODYHASIT', 'akidexample', 'import']) {
    await t.rejects(show(alice, id), { code: 'not-found' }, id);
    await t.rejects(act(alice, id, 'disable'), { code: 'not-found' }, id);
    await t.rejects(remove(alice, id), { code: 'not-found' }, id);
  }
  await t.rejects(show(alice, "x' OR '1'='1"), { code: 'malformed-request' });
  t.same(await runSql(database, 'SELECT * FROM access_key'), []);
  t.same(await runSql(database, 'SELECT * FROM operator_action'), []);
});

t.test('none but operators reach the access keys', async (t) => {
  const { clientOf, authority, operator } = await startMaster(t);
  const { accessKeyId } = await create(await operator());
  for (const identity of [
    { role: 'master', name: 'm2' },
    { role: 'region', region: 'us-east-1', name: 'r1' },
    { role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' },
  ] as const) {
    const other = clientOf(await authority.credentials(identity));
    for (const [what, attempt] of [
      ['create', () => create(other)],
      ['import', () => importKey(other, { owner: 'x', accessKeyId: 'AKIDX', secretAccessKey: SECRET })],
      ['list', () => list(other)],
      ['show', () => show(other, accessKeyId)],
      ['enable', () => act(other, accessKeyId, 'enable')],
      ['disable', () => act(other, accessKeyId, 'disable')],
      ['delete', () => remove(other, accessKeyId)],
      ['status', () => other.call({ method: 'GET', path: '/v1/status', answer: z.any() })],
    ] as const) {
      await t.rejects(attempt(), { code: 'role-not-allowed' }, `${identity.role}: ${what}`);
    }
  }
});

t.test('a seal holds for its own row only', async (t) => {
  const { operator, region, database, logged } = await startMaster(t);
  const alice = await operator();
  const ids = ['AKIDGOOD', 'AKIDONE', 'AKIDTWO', 'AKIDBITS', 'AKIDSHORT', 'AKIDLAYOUT', 'AKIDVERSION'];
  for (const accessKeyId of ids) await importKey(alice, { owner: 'ann', accessKeyId, secretAccessKey: SECRET });
  const sealed = await runSql<{ sealed_secret: Buffer }>(database, 'SELECT sealed_secret FROM access_key');
  for (const { sealed_secret: bytes } of sealed) t.notOk(bytes.includes(SECRET), 'the secret is not stored in clear');
  t.equal(new Set(sealed.map(({ sealed_secret: bytes }) => bytes.toString('hex'))).size, ids.length);

  await runSql(
    database,
    `UPDATE access_key one SET sealed_secret = other.sealed_secret FROM access_key other
      WHERE (one.id, other.id) IN (('AKIDONE', 'AKIDTWO'), ('AKIDTWO', 'AKIDONE'));
     UPDATE access_key SET sealed_secret = set_byte(sealed_secret, 20, get_byte(sealed_secret, 20) # 1)
      WHERE id = 'AKIDBITS';
     UPDATE access_key SET sealed_secret = '\\x01' WHERE id = 'AKIDSHORT';
     UPDATE access_key SET sealed_secret = set_byte(sealed_secret, 0, 9) WHERE id = 'AKIDLAYOUT';
     UPDATE access_key SET version = 2 WHERE id = 'AKIDVERSION';`,
  );
  const answer = await (await region('us-east-1')).issue({ date: day(TODAY), accessKeyIds: ids });
  t.same([...answer.issued.keys()], ['AKIDGOOD'], 'the others go on');
  t.same(
    [...answer.absent],
    ids.slice(1).map((id) => [id, 'disabled']),
  );
  for (const id of ids.slice(1)) {
    const alarms = logged.filter((line) => line.includes('seal-broken') && line.includes(`"${id}"`));
    t.equal(alarms.length, 1, `the log is loud about ${id}`);
  }
});

t.test('a change waits for issuances under way, so that their records are complete when it is answered', async (t) => {
  const { operator, database } = await startMaster(t);
  const alice = await operator();
  const { accessKeyId } = await create(alice);
  const issuing = new Client({ connectionString: database });
  await issuing.connect();
  await issuing.query('BEGIN');
  await issuing.query('SELECT pg_advisory_xact_lock_shared(7434002)');
  const state = { isAnswered: false };
  const disabling = act(alice, accessKeyId, 'disable').finally(() => (state.isAnswered = true));
  const waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 7434002";
  while (!state.isAnswered && (await runSql(database, waiting)).length === 0) await new Promise(setImmediate);
  t.notOk(state.isAnswered);
  await issuing.query('COMMIT');
  t.equal((await disabling).status, 'disabled');
  await issuing.end();
});
