import {
  DATE_KEYS,
  DEPUTY_GRANTS_PATH,
  deputyGrant,
  listedDeputyGrants,
  mtlsDaySource,
  mtlsKeySource,
  OWN_GRANTS_PATH,
  ownGrants,
  PeerStreams,
  REGION_KEYS,
  REPORT_PATH,
  STATUS_PATH,
  statusAnswer,
  type KeyAnswer,
  type KeySource,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';
import type { IssuanceRecord } from '@sigv4-keyd/ledger';
import { exportKDate, type KDate } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { agentOf, idsOf, keysOf } from '../day-stream/streaming-peers.js';
import { MadeUpJournal, serviceRecord } from '../ledger-wired/made-up-journal.js';
import { SECRET, wiredMaster, type WiredMaster } from '../ledger-wired/wired-master.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { insertAccessKeys, madeUpIds } from '../support/made-up-access-keys.js';
import { runSql } from '../support/postgres.js';
import { askedAsEarlier } from '../support/earlier-release.js';
import { spellings } from '../support/spellings.js';
import { ban, revoke } from './feed-clients.js';
import { hmac, TODAY, type MasterOptions } from './master-under-test.js';

const DEPUTY = `spiffe://${TRUST_DOMAIN}/deputy/d1`;
const REASON = 'the HSM is moved';
const ON = { env: { KEYD_ALLOW_DEPUTIES: 'yes' } };

interface WithDeputy extends WiredMaster {
  readonly deputy: PeerClient;
  readonly dateKeys: KeySource<KDate>;
  /** Asks in the clear: what is sealed to others shows nothing. */
  readonly clear: KeySource<KDate>;
}

async function withDeputy(t: Test, options: MasterOptions = ON): Promise<WithDeputy> {
  const master = await wiredMaster(t, options);
  const deputy = master.clientOf(await master.authority.credentials({ role: 'deputy', name: 'd1' }));
  return {
    ...master,
    deputy,
    dateKeys: mtlsKeySource(DATE_KEYS, {}, deputy),
    clear: askedAsEarlier(DATE_KEYS, {}, deputy),
  };
}

function grant({ client }: WiredMaster, wanted: object = {}): Promise<unknown> {
  const body = { deputy: DEPUTY, from: TODAY, to: TODAY, reason: REASON, ...wanted };
  return client.call({ method: 'POST', path: DEPUTY_GRANTS_PATH, body, answer: deputyGrant });
}

const ask = (source: KeySource<KDate>, date = TODAY, accessKeyIds = ['AKIAONE']): Promise<KeyAnswer<KDate>> =>
  source.issue({ date: day(date), accessKeyIds });

const bytesOf = (answer: KeyAnswer<KDate>, id = 'AKIAONE'): Buffer | undefined => {
  const issued = answer.issued.get(id);
  return issued && exportKDate(issued.key);
};

const independentKDate = (date = TODAY): Buffer => hmac(`AWS4${SECRET}`, date);

const recorded = ({ database }: WiredMaster): Promise<readonly object[]> =>
  runSql(database, "SELECT peer, rung, region, scope_date, access_key_ids FROM issuance WHERE rung = 'kDate'");

t.test('deputies are off unless a master is told otherwise', async (t) => {
  const off = await withDeputy(t, {});
  await t.rejects(grant(off), { code: 'wrong-state', detail: /KEYD_ALLOW_DEPUTIES=yes/ });
  await t.rejects(ask(off.dateKeys), { code: 'no-grant' });
  t.match(await off.keydctl('deputy', 'list'), { code: 0, out: /Deputies are off/ });

  const on = await withDeputy(t, { ...ON, authority: off.authority });
  await grant(on);
  t.equal((await ask(on.dateKeys)).issued.size, 1);
  const { database, custodyKey, authority, clock } = on;
  const since = await withDeputy(t, { database, custodyKey, authority, clock, name: 'm2' });
  await t.rejects(ask(since.dateKeys), { code: 'no-grant' }, 'granted while they were on, switched off since');
  const own = since.deputy.call({ method: 'GET', path: OWN_GRANTS_PATH, answer: ownGrants });
  t.same(await own, { grants: [] });
  t.equal((await recorded(on)).length, 1);
});

t.test('a deputy gets kDate of granted days alone, as an independent derivation says', async (t) => {
  const master = await withDeputy(t);
  const { dateKeys, clear, received, logged, clock } = master;
  await t.rejects(ask(dateKeys), { code: 'no-grant', detail: TODAY });
  await grant(master, { from: TODAY, to: '20261124' });
  const before = received.length;
  t.same(bytesOf(await ask(clear)), independentKDate());
  for (const date of [TODAY, '20261123', '20261124'])
    t.same(bytesOf(await ask(dateKeys, date)), independentKDate(date));
  await t.rejects(ask(dateKeys, '20261125'), { code: 'no-grant' }, 'the day after');
  await t.rejects(ask(dateKeys, '20261121'), { code: 'no-grant' }, 'the day before');
  await t.rejects(ask(dateKeys, '20261130'), { code: 'date-outside-window' }, 'too far ahead for any grant');
  t.same((await ask(dateKeys, TODAY, ['AKIANONE'])).absent.get('AKIANONE'), 'unknown');

  const answers = Buffer.concat(received.slice(before));
  t.ok(answers.includes(independentKDate().toString('base64')), 'the answers were captured');
  for (const spelling of [SECRET, `AWS4${SECRET}`].flatMap((text) => spellings(Buffer.from(text)))) {
    t.notOk(answers.includes(spelling), 'no secret leaves');
  }
  for (const spelling of spellings(independentKDate()))
    t.notOk(logged.join('').includes(spelling.toString()), 'no log');
  await clock.moveTo('2026-12-03T12:00:00Z');
  await t.rejects(ask(dateKeys), { code: 'date-outside-window' }, 'a granted day leaves the window, too');
});

t.test('the role is the scope', async (t) => {
  const master = await withDeputy(t);
  const { clientOf, authority, deputy } = master;
  await grant(master);
  const body = { date: TODAY, accessKeyIds: ['AKIAONE'] };
  for (const identity of [
    { role: 'region', region: 'us-east-1', name: 'd1' },
    { role: 'edge', region: 'us-east-1', service: 's3', name: 'd1' },
    { role: 'operator', name: 'd1' },
    { role: 'master', name: 'd1' },
  ] as const) {
    const other = clientOf(await authority.credentials(identity));
    for (const path of [DATE_KEYS.path, OWN_GRANTS_PATH]) {
      const call = { method: path === OWN_GRANTS_PATH ? 'GET' : 'POST', path, answer: z.any() } as const;
      const asking = other.call(path === OWN_GRANTS_PATH ? call : { ...call, body });
      await t.rejects(asking, { code: 'role-not-allowed' }, `${identity.role}: ${path}`);
    }
  }
  for (const extra of [{ region: 'us-east-1' }, { deputy: DEPUTY }]) {
    const call = { method: 'POST', path: DATE_KEYS.path, body: { ...body, ...extra }, answer: z.any() } as const;
    await t.rejects(deputy.call(call), { code: 'malformed-request' }, JSON.stringify(extra));
  }
  for (const path of [REGION_KEYS.path, DEPUTY_GRANTS_PATH]) {
    await t.rejects(deputy.call({ method: 'POST', path, body, answer: z.any() }), { code: 'role-not-allowed' }, path);
  }
  const other = clientOf(await authority.credentials({ role: 'deputy', name: 'd2' }));
  await t.rejects(ask(mtlsKeySource(DATE_KEYS, {}, other)), { code: 'no-grant' }, 'a grant is for one deputy');
  t.same((await ask(master.dateKeys)).issued.size, 1);
});

t.test('an access key that is limited to regions is not given out for all of them', async (t) => {
  const master = await withDeputy(t);
  await insertAccessKeys(master, ['AKIALIMITED', 'AKIAOFF']);
  await runSql(master.database, "UPDATE access_key SET regions = '{us-east-1}' WHERE id = 'AKIALIMITED'");
  await runSql(master.database, "UPDATE access_key SET status = 'disabled' WHERE id = 'AKIAOFF'");
  await grant(master);
  const { issued, absent } = await ask(master.dateKeys, TODAY, ['AKIALIMITED', 'AKIAOFF', 'AKIAONE']);
  t.same([...issued.keys()], ['AKIAONE']);
  t.same(Object.fromEntries(absent), { AKIALIMITED: 'not-for-scope', AKIAOFF: 'disabled' });
});

t.test('a grant has bounds, an author and an end', async (t) => {
  const master = await withDeputy(t);
  const { keydctl, deputy, client, dateKeys } = master;
  for (const [wanted, detail] of [
    [{ to: '20261129' }, /7 days at most/],
    [{ from: '20261129', to: '20261130' }, /must be from 20261115 to 20261129/],
    [{ from: '20261114', to: '20261114' }, /must be from 20261115/],
    [{ from: '20261123', to: TODAY }, /must not be before/],
    [{ deputy: `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1` }, /must be spiffe:.*deputy/],
    [{ deputy: 'spiffe://else.test/deputy/d1' }, /must be spiffe:.*deputy/],
    [{ reason: '' }, /reason/],
  ] as const) {
    await t.rejects(grant(master, wanted), { code: 'malformed-request', detail }, JSON.stringify(wanted));
  }
  const days = ['--from', '2026-11-21', '--to', '2026-11-23'];
  const granted = await keydctl('deputy', 'grant', 'd1', ...days, '--reason', REASON);
  t.match(granted, { code: 0, out: /2026-11-21 to 2026-11-23[^]*every region/ });
  t.match(await keydctl('deputy', 'grant', 'edge', ...days, '--reason', REASON, '--json'), { code: 0 });
  t.match(await keydctl('deputy', 'grant', `spiffe://${TRUST_DOMAIN}/edge/a/s3/b`, ...days, '--reason', 'x'), {
    code: 2,
  });
  const own = (): Promise<object> => deputy.call({ method: 'GET', path: OWN_GRANTS_PATH, answer: ownGrants });
  t.same(await own(), { grants: [{ from: '20261121', to: '20261123' }] });
  t.equal((await ask(dateKeys)).issued.size, 1);

  t.match(await keydctl('deputy', 'withdraw', 'd1'), { code: 0, out: /auditor[^]*A deputy that was broken into/ });
  await t.rejects(ask(dateKeys), { code: 'no-grant' }, 'withdrawn');
  t.same(await own(), { grants: [] });
  t.match(await keydctl('deputy', 'withdraw', 'd1'), { code: 1, err: /has no grant/ });
  const { grants } = await client.call({ method: 'GET', path: DEPUTY_GRANTS_PATH, answer: listedDeputyGrants });
  const by = `spiffe://${TRUST_DOMAIN}/operator/auditor`;
  t.match(
    grants.find(({ deputy: id }) => id === DEPUTY),
    { by, reason: REASON, withdrawn: { by } },
  );
  const deeds = await runSql(
    master.database,
    `SELECT action FROM operator_action WHERE identity = '${DEPUTY}' ORDER BY at, action`,
  );
  t.same(deeds, [{ action: 'grant-days' }, { action: 'withdraw-days' }]);
  await t.rejects(runSql(master.database, "UPDATE deputy_grant SET last_date = '20991231'"), /only ever withdrawn/);
  await t.rejects(runSql(master.database, 'DELETE FROM deputy_grant'), /append-only/);
});

t.test('kDate is recorded before it is released, and the log proves it', async (t) => {
  const master = await withDeputy(t);
  const { database, received, sequence, verify, keydctl } = master;
  await grant(master);
  await ask(master.dateKeys, TODAY, ['AKIANONE', 'AKIAONE']);
  t.same(await recorded(master), [
    { peer: DEPUTY, rung: 'kDate', region: null, scope_date: TODAY, access_key_ids: ['AKIAONE'] },
  ]);
  await sequence(1);
  t.match(await verify(), { code: 0, out: /records +1\n[^]*whole/ });
  t.match(await keydctl('ledger', 'show', '--region', 'eu-west-1'), { code: 0, out: /in every region \(kDate\)/ });
  const released = received.length;
  await runSql(
    database,
    `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;
     CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT ON issuance
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION full_disk()`,
  );
  await t.rejects(ask(master.clear), { code: 'database-unavailable' }, 'the commit fails');
  const answers = Buffer.concat(received.slice(released));
  for (const spelling of spellings(independentKDate())) t.notOk(answers.includes(spelling));
});

t.test('a granted day as a stream, each page on the record', async (t) => {
  const master = await withDeputy(t);
  const ids = madeUpIds(7);
  await insertAccessKeys(master, ids);
  await runSql(master.database, "UPDATE access_key SET regions = '{us-east-1}' WHERE id = $1", [ids[3]]);
  const dispatcher = await agentOf(t, master.authority, { role: 'deputy', name: 'd1' });
  const urls = [new URL(`https://${master.service.addresses['hop'] ?? ''}`)];
  const streams = mtlsDaySource(DATE_KEYS, {}, new PeerStreams({ urls, dispatcher }));
  const all = { date: day(TODAY), which: 'all' } as const;
  await t.rejects(keysOf(streams, all), { code: 'no-grant' });
  await grant(master);
  const keys = await keysOf(streams, all);
  t.same(idsOf(keys), [...ids.filter((id) => id !== ids[3]), 'AKIAONE']);
  t.same(Buffer.from(keys.at(-1)?.key ?? []), independentKDate());
  t.same(
    (await recorded(master)).map((row) => 'access_key_ids' in row && row.access_key_ids),
    [idsOf(keys)],
  );
});

t.test('a ban shuts a deputy out at once', async (t) => {
  const master = await withDeputy(t);
  await grant(master);
  await ask(master.dateKeys);
  await ban(master.client, DEPUTY);
  await t.rejects(ask(master.dateKeys), { code: 'identity-banned' });
  const own = master.deputy.call({ method: 'GET', path: OWN_GRANTS_PATH, answer: ownGrants });
  await t.rejects(own, { code: 'identity-banned' });
});

t.test('the blast radius of any region knows what a deputy was given', async (t) => {
  const master = await withDeputy(t);
  await grant(master, { to: '20261125' });
  await ask(master.dateKeys, '20261125');
  await ask(master.dateKeys);
  for (const region of ['eu-west-1', 'ap-south-2']) {
    const { statement, blastRadius } = await revoke(master.client, { region, from: TODAY, dryRun: true });
    t.equal(statement.to, '20261125', 'to the newest day that the deputy has');
    t.match(blastRadius, {
      identityCount: 1,
      identities: [{ spiffeId: DEPUTY, dates: [TODAY, '20261125'] }],
      accessKeyCount: 1,
      accessKeys: [{ accessKeyId: 'AKIAONE', dates: [TODAY, '20261125'] }],
    });
  }
  t.match(await master.keydctl('incident', 'report', '--region', 'eu-west-1', '--from', '2026-11-22', '--json'), {
    out: /"to": ?"20261125"/,
  });
});

t.test("a deputy's journal is taken for what a deputy may issue", async (t) => {
  const master = await withDeputy(t);
  const { deputy, sequence, verify } = master;
  const made = serviceRecord();
  const record = (changes: object = {}): IssuanceRecord => ({
    v: 1,
    id: made.id,
    at: made.at,
    from: DEPUTY,
    to: `spiffe://${TRUST_DOMAIN}/region/eu-west-1/r1`,
    rung: 'kRegion',
    region: 'eu-west-1',
    date: made.date,
    accessKeyIds: made.accessKeyIds,
    requestId: made.requestId,
    ...changes,
  });
  for (const [changes, detail] of [
    [{ from: `spiffe://${TRUST_DOMAIN}/deputy/d2` }, /record 1: from/],
    [{ region: 'us-east-1' }, /record 1: region/],
    [{ to: DEPUTY }, /record 1: to/],
    [{ to: 'spiffe://else.test/region/eu-west-1/r1' }, /record 1: to/],
    [{ to: `spiffe://${TRUST_DOMAIN}/edge/eu-west-1/s3/e1` }, /record 1: to/],
  ] as const) {
    const journal = new MadeUpJournal();
    journal.add(record(changes));
    await t.rejects(journal.upload(deputy), { code: 'malformed-request', detail }, JSON.stringify(changes));
  }
  const service = new MadeUpJournal();
  service.add(serviceRecord({ from: DEPUTY }));
  await t.rejects(service.upload(deputy), { code: 'malformed-request', detail: /rung: a deputy issues kRegion/ });
  const journal = new MadeUpJournal();
  journal.add(record());
  t.same(await journal.upload(deputy), { journal: journal.id, next: 2 });
  await sequence(1);
  t.match(await verify(), { code: 0, out: /records +1\n[^]*whole/ });
});

t.test('status tells of deputies; a deputy has no edges to tell of', async (t) => {
  const master = await withDeputy(t);
  const { deputy, client, keydctl } = master;
  await grant(master);
  await ask(master.dateKeys);
  const report = {
    startedAt: '2026-11-22T11:00:00.000Z',
    version: '0.1.0',
    heldDays: [{ date: TODAY, keys: 1, fetchedAt: '2026-11-22T11:30:00.000Z' }],
    certificateExpiresAt: '2026-12-22T11:00:00.000Z',
  };
  await deputy.call({ method: 'POST', path: REPORT_PATH, body: report, answer: z.undefined() });
  const edge = { spiffeId: `spiffe://${TRUST_DOMAIN}/edge/us-east-1/s3/e1`, heardAt: report.startedAt, report };
  const lying = deputy.call({ method: 'POST', path: REPORT_PATH, body: { ...report, edges: [edge] }, answer: z.any() });
  await t.rejects(lying, { code: 'malformed-request', detail: /is no edge of .*deputy/ });
  const status = await client.call({ method: 'GET', path: STATUS_PATH, answer: statusAnswer });
  t.match(status.deputies, [
    {
      spiffeId: DEPUTY,
      report: { heldDays: report.heldDays },
      grants: [{ from: TODAY, to: TODAY }],
      issued: [{ date: TODAY, accessKeys: 1 }],
    },
  ]);
  t.match(await keydctl('status'), { code: 0, out: /\/deputy\/d1 +up[^]*\/deputy\/d1 +2026-11-22 +1/ });
});
