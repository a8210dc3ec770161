import {
  ACCESS_KEY_CHANGES_PATH,
  BANS_PATH,
  KeydError,
  MOST_KEYS_A_REQUEST,
  type DaySource,
  type DayStreamRequest,
  type StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { z } from 'zod';
import { independentKRegion, startMaster, TODAY, type MasterUnderTest } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { insertAccessKeys, madeUpIds, secretOf } from '../support/made-up-access-keys.js';
import { runSql } from '../support/postgres.js';
import { agentOf, idsOf, keysOf, regionStreams } from './streaming-peers.js';

t.setTimeout(120_000);

const ALL: DayStreamRequest = { date: day(TODAY), which: 'all' };
const R1 = `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`;

async function streamingMaster(t: Test): Promise<MasterUnderTest & { readonly url: string }> {
  const master = await startMaster(t);
  return { ...master, url: `https://${master.service.addresses['hop'] ?? ''}` };
}

const recordsOf = async ({ database }: MasterUnderTest): Promise<readonly (readonly string[])[]> => {
  const rows = await runSql<{ access_key_ids: string[] }>(
    database,
    `SELECT access_key_ids FROM issuance WHERE peer = '${R1}' AND scope_date = '${TODAY}' ORDER BY access_key_ids`,
  );
  return rows.map((row) => row.access_key_ids);
};

t.test("a region's whole day: every access key that it may have, in order, each page on the record", async (t) => {
  const master = await streamingMaster(t);
  const ids = madeUpIds(2 * MOST_KEYS_A_REQUEST + 7);
  await insertAccessKeys(master, ids);
  const left = { disabled: ids[3] ?? '', expired: ids[5_000] ?? '', elsewhere: ids[5_001] ?? '', broken: ids[9] ?? '' };
  const own = ids.at(-1) ?? '';
  await runSql(master.database, "UPDATE access_key SET status = 'disabled' WHERE id = $1", [left.disabled]);
  await runSql(master.database, "UPDATE access_key SET expires_at = '2026-11-22T12:00:00Z' WHERE id = $1", [
    left.expired,
  ]);
  await runSql(master.database, "UPDATE access_key SET regions = '{eu-west-1}' WHERE id = $1", [left.elsewhere]);
  await runSql(master.database, "UPDATE access_key SET sealed_secret = '\\x00' WHERE id = $1", [left.broken]);
  await runSql(
    master.database,
    `UPDATE access_key SET regions = '{eu-west-1,us-east-1}', services = '{s3,sqs}', expires_at = '2026-12-01', version = 1
      WHERE id = $1`,
    [own],
  );
  const keys = await keysOf(await regionStreams(t, master), ALL);
  const expected = ids.filter((id) => !Object.values(left).includes(id));
  t.same(idsOf(keys), expected);
  const wrong = keys.filter(
    ({ facts, key }) => !independentKRegion(secretOf(facts.accessKeyId), TODAY, 'us-east-1').equals(key),
  );
  t.same(wrong, [], 'as an independent derivation says');
  const createdAt = Date.parse('2026-11-01T00:00:00Z');
  t.same(keys[0]?.facts, { accessKeyId: ids[0], version: 1, createdAt });
  t.same(keys.at(-1)?.facts, {
    accessKeyId: own,
    version: 1,
    createdAt,
    expiresAt: Date.parse('2026-12-01T00:00:00Z'),
    services: ['s3', 'sqs'],
  });
  const records = await recordsOf(master);
  t.same(records.flat(), expected, 'recorded as released');
  t.ok(records.length === 3 && records.every((record) => record.length <= MOST_KEYS_A_REQUEST), 'a record a page');
  t.ok(
    master.logged.some((line) => line.includes('seal-broken')),
    'a broken seal is an alarm, not the end of the stream',
  );

  const after = ids[7_000] ?? '';
  const rest = await keysOf(await regionStreams(t, master), { ...ALL, after });
  t.same(
    idsOf(rest),
    expected.filter((id) => id > after),
    'goes on after an access key',
  );
  const europe = await keysOf(await regionStreams(t, master, { region: 'eu-west-1' }), { ...ALL, after });
  const [first] = europe;
  t.ok(first && independentKRegion(secretOf(first.facts.accessKeyId), TODAY, 'eu-west-1').equals(first.key));
});

t.test('the pinned ones alone; and nobody', async (t) => {
  const master = await streamingMaster(t);
  t.same(await keysOf(await regionStreams(t, master), ALL), [], 'a day without keys ends, too');
  t.same(await recordsOf(master), [], 'and needs no record');
  await insertAccessKeys(master, madeUpIds(20));
  await insertAccessKeys(master, madeUpIds(3, 'PIN'), { isPinned: true });
  const keys = await keysOf(await regionStreams(t, master), { ...ALL, which: 'pinned' });
  t.same(idsOf(keys), madeUpIds(3, 'PIN'));
  t.same(await recordsOf(master), [madeUpIds(3, 'PIN')]);
});

t.test('the certificate is the scope, and the window is the window', async (t) => {
  const master = await streamingMaster(t);
  await insertAccessKeys(master, ['AKIAONE']);
  const post = async (identity: Parameters<typeof agentOf>[2], body: object): Promise<unknown> => {
    const answer = await request(`${master.url}/v1/region-keys/day`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      dispatcher: await agentOf(t, master.authority, identity),
    });
    t.not(answer.statusCode, 200);
    const { error } = z.object({ error: z.object({ code: z.string() }) }).parse(await answer.body.json());
    return error.code;
  };
  const region = { role: 'region', region: 'us-east-1', name: 'r1' } as const;
  for (const extra of [{ region: 'eu-west-1' }, { region: 'us-east-1' }, { service: 's3' }]) {
    t.equal(await post(region, { ...ALL, ...extra }), 'malformed-request', JSON.stringify(extra));
  }
  for (const wrong of [{ date: '20260230' }, { which: 'used' }, { which: undefined }, { after: '../x' }]) {
    t.equal(await post(region, { ...ALL, ...wrong }), 'malformed-request', JSON.stringify(wrong));
  }
  for (const other of [
    { role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' },
    { role: 'operator', name: 'alice' },
    { role: 'master', name: 'm2' },
  ] as const) {
    t.equal(await post(other, ALL), 'role-not-allowed', other.role);
  }
  for (const date of ['20261114', '20261124'])
    t.equal(await post(region, { ...ALL, date }), 'date-outside-window', date);
  t.same(await runSql(master.database, 'SELECT * FROM issuance'), []);
});

/** Takes one page, runs `meanwhile`, and goes on to the end or the failure. */
async function interrupted(
  source: DaySource,
  meanwhile: () => Promise<unknown>,
): Promise<{ readonly keys: readonly StreamedKey[]; readonly failure: unknown }> {
  const keys: StreamedKey[] = [];
  try {
    for await (const page of source.pages(ALL)) {
      if (keys.length === 0) await meanwhile();
      keys.push(...page);
    }
    return { keys, failure: undefined };
  } catch (failure) {
    return { keys, failure };
  }
}

t.test('what happens midway applies to the pages that were not sent yet', async (t) => {
  const master = await streamingMaster(t);
  const ids = madeUpIds(6 * MOST_KEYS_A_REQUEST);
  await insertAccessKeys(master, ids);
  const operator = await master.operator();
  const source = await regionStreams(t, master);

  t.test('access keys that change', async (t) => {
    const [deleted = '', disabled = ''] = ids.slice(-2);
    const { keys, failure } = await interrupted(source, async () => {
      for (const [accessKeyIds, kind] of [
        [[disabled], 'disable'],
        [[deleted], 'delete'],
      ] as const) {
        const body = { accessKeyIds, change: { kind } };
        await operator.call({ method: 'POST', path: ACCESS_KEY_CHANGES_PATH, body, answer: z.any() });
      }
    });
    t.equal(failure, undefined);
    t.same(idsOf(keys), ids.slice(0, -2));
  });

  t.test('a database that fails cuts the stream, which goes on where it was when it is back', async (t) => {
    const hide = 'ALTER TABLE access_key RENAME TO hidden';
    const { keys, failure } = await interrupted(source, () => runSql(master.database, hide));
    t.ok(failure instanceof Error);
    t.equal(keys.length % MOST_KEYS_A_REQUEST, 0, 'whole pages');
    await t.rejects(keysOf(source, ALL), KeydError, 'one that fails before the first page is an answer');
    await runSql(master.database, 'ALTER TABLE hidden RENAME TO access_key');
    const rest = await keysOf(source, { ...ALL, after: idsOf(keys).at(-1) ?? '' });
    t.same([...idsOf(keys), ...idsOf(rest)], ids.slice(0, -2));
  });

  t.test('a ban cuts the stream, and it does not go on', async (t) => {
    const body = { spiffeId: R1, reason: 'broken into' };
    const { keys, failure } = await interrupted(source, () =>
      operator.call({ method: 'POST', path: BANS_PATH, body, answer: z.any() }),
    );
    t.ok(failure instanceof Error, 'cut');
    t.ok(keys.length < ids.length - 2, `${keys.length} keys came before it`);
    const recorded = new Set((await recordsOf(master)).flat());
    t.same(
      idsOf(keys).filter((id) => !recorded.has(id)),
      [],
      'what came is recorded',
    );
    await t.rejects(keysOf(source, { ...ALL, after: idsOf(keys).at(-1) ?? '' }), { code: 'identity-banned' });
  });
});
