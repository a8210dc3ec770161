import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ACCESS_KEY_IMPORT_PATH,
  INCIDENT_REPORT_PATH,
  incidentReport,
  REVOCATIONS_PATH,
  type IncidentReport,
  type PeerClient,
  type RelayedBatch,
} from '@sigv4-keyd/hop-protocol';
import { encodeIssuanceRecord } from '@sigv4-keyd/ledger';
import t, { type Test } from 'tap';
import { z } from 'zod';
import {
  DatabaseHosts,
  incidentReport as reportOf,
  inTransaction,
  limitedReading,
  openPool,
} from '@sigv4-keyd/master-keyd';
import { createLogger } from '@sigv4-keyd/service-skeleton';
import { keydctl } from '../keydctl/keydctl-under-test.js';
import { NOON, startMaster, type MasterUnderTest } from '../master-keyd/master-under-test.js';
import { day } from '../support/days.js';
import { runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { relay, relayed, rollupAt, spiffeIdOfEdge } from './made-up-batches.js';

const silent = createLogger({ service: 'test', level: 'silent' });
const HOSTILE_OWNER = `<script>alert("x")</script> & 'co'`;

async function regionOf(master: MasterUnderTest, region = 'us-east-1'): Promise<PeerClient> {
  return master.clientOf(await master.authority.credentials({ role: 'region', region, name: 'r1' }));
}

function report(operator: PeerClient, query: Record<string, string>): Promise<IncidentReport> {
  const path = `${INCIDENT_REPORT_PATH}?${new URLSearchParams(query).toString()}`;
  return operator.call({ method: 'GET', path, answer: incidentReport });
}

async function importKey(operator: PeerClient, accessKeyId: string, owner: string): Promise<void> {
  const body = { accessKeyId, secretAccessKey: 'a-secret-of-this-test', owner };
  await operator.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.unknown() });
}

t.test('the figures of a report equal an independent count', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  const keys = ['AKIAONE', 'AKIATWO', 'AKIATHREE'];
  await importKey(operator, 'AKIAONE', HOSTILE_OWNER);
  await importKey(operator, 'AKIATWO', 'two');
  const clients = { 'us-east-1': await regionOf(master), 'eu-west-1': await regionOf(master, 'eu-west-1') };
  const sent: RelayedBatch[] = [];
  let seed = 7;
  const draw = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (const region of ['us-east-1', 'eu-west-1'] as const) {
    for (const service of ['s3', 'execute-api']) {
      for (let number = 0; number < 6; number += 1) {
        const rollups = Array.from({ length: 40 }, () => {
          const at = Date.parse('2026-11-15T00:00:00Z') + draw(7 * 86_400) * 1000;
          const mechanism = (['header', 'presigned', 'post-form'] as const)[draw(3)] ?? 'header';
          return rollupAt(at, { accessKeyId: keys[draw(3)] ?? '', count: 1 + draw(9), mechanism });
        });
        sent.push(relayed({ region, service, name: `e${number % 2}` }, rollups));
      }
    }
    const own = sent.filter((one) => one.region === region);
    await relay(clients[region], own.slice(0, 5));
    await relay(clients[region], own.slice(3));
    await Promise.all([relay(clients[region], own), relay(clients[region], own.toReversed())]);
  }

  const all = sent.flatMap(({ batch, ...edge }) => batch.rollups.map((rollup) => ({ ...edge, ...rollup })));
  const sum = (rows: typeof all): number => rows.reduce((total, { count }) => total + count, 0);
  const [from, to] = ['20261117', '20261119'];
  const days = all.filter(({ scopeDate }) => scopeDate >= from && scopeDate <= to);
  const inside = days.filter(({ region }) => region === 'us-east-1');
  const found = await report(operator, { region: 'us-east-1', from, to });
  t.equal(found.accepted.count, sum(inside));
  t.equal(found.outside.count, sum(days) - sum(inside));
  t.equal(found.accepted.first, inside.map(({ first }) => first).sort()[0]);
  t.equal(
    found.accepted.last,
    inside
      .map(({ last }) => last)
      .sort()
      .at(-1),
  );
  t.equal(found.accepted.accessKeyCount, 3);
  t.equal(found.dropped, 0);
  for (const accessKeyId of keys) {
    const row = found.accepted.byAccessKey.find((one) => one.accessKeyId === accessKeyId);
    t.match(row, { count: sum(inside.filter((one) => one.accessKeyId === accessKeyId)), revoked: false }, accessKeyId);
  }
  t.equal(found.accepted.byAccessKey.find(({ accessKeyId }) => accessKeyId === 'AKIATHREE')?.owner, '(not known here)');
  for (const service of ['s3', 'execute-api']) {
    const edge = spiffeIdOfEdge({ region: 'us-east-1', service, name: 'e1' });
    const row = found.accepted.byEdge.find((one) => one.edge === edge);
    t.equal(row?.count, sum(inside.filter((one) => one.edge === edge)), edge);
  }
  for (const date of ['20261117', '20261118', '20261119']) {
    const row = found.accepted.byDay.find(({ scopeDate }) => scopeDate === date);
    t.equal(row?.count, sum(inside.filter(({ scopeDate }) => scopeDate === date)), date);
  }
  const narrow = await report(operator, { region: 'us-east-1', service: 's3', accessKeyId: 'AKIATWO', from, to });
  const narrowRows = inside.filter(({ service, accessKeyId }) => service === 's3' && accessKeyId === 'AKIATWO');
  t.equal(narrow.accepted.count, sum(narrowRows));
  t.equal(narrow.outside.count, sum(days) - sum(narrowRows));

  const minutes = await runSql<{ count: string }>(master.database, 'SELECT sum(count) AS count FROM acceptance');
  t.equal(Number(minutes[0]?.count), sum(all), 'the minutes hold the same');
  await checkCommand(t, master, found);
});

async function checkCommand(t: Test, master: MasterUnderTest, found: IncidentReport): Promise<void> {
  const { cert, key, ca } = await master.authority.filesOf({ role: 'operator', name: 'bob' });
  const url = `https://${master.service.addresses['hop'] ?? ''}`;
  const html = join(newStateFolder(t), 'incident.html');
  const scope = ['--region', 'us-east-1', '--from', '2026-11-17', '--to', '2026-11-19'];
  const args = ['incident', 'report', ...scope, '--master', url, '--cert', cert, '--key', key, '--ca', ca];

  const text = await keydctl([...args, '--html', html]);
  t.match(text, { code: 0, err: '' });
  t.match(text.out, `${found.accepted.count} signatures, `);
  t.match(text.out, 'AKIATHREE');
  t.match(text.out, found.logQuery);
  for (const sentence of [...found.waysBack, ...found.blastRadius.remainsGood]) t.ok(text.out.includes(sentence));

  const page = readFileSync(html, 'utf8');
  t.equal(statSync(html).mode & 0o777, 0o600);
  t.match(page, /^<!doctype html>[^]*<\/html>\n$/);
  t.notMatch(page, '<script', 'an owner cannot put a script into the page');
  t.match(page, '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;co&#39;');
  t.notMatch(page, /(?:src|href)=|url\(|@import/, 'nothing from outside');
  t.match(page, 'light dark');

  const json = await keydctl([...args, '--json']);
  t.strictSame(incidentReport.parse(JSON.parse(json.out)), found);
  for (const wrong of [
    ['--from', '2026-02-30'],
    ['--from', '2026-11-20'],
    ['--region', 'US EAST'],
  ]) {
    t.match(await keydctl([...args, ...wrong]), { code: 2, out: '' }, wrong.join(' '));
  }
}

t.test('what is issued, revoked and good', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  for (const id of ['AKIAONE', 'AKIATWO']) await importKey(operator, id, 'ci');
  const region = await master.region('us-east-1');
  await region.issue({ date: day('20261122'), accessKeyIds: ['AKIAONE', 'AKIATWO'] });
  await region.issue({ date: day('20261123'), accessKeyIds: ['AKIAONE'] });
  await (await master.region('eu-west-1')).issue({ date: day('20261122'), accessKeyIds: ['AKIATWO'] });
  await relay(await regionOf(master), [
    relayed({ region: 'us-east-1', service: 's3' }, [rollupAt('2026-11-22T10:00:00Z', { count: 5 })]),
    relayed({ region: 'us-east-1', service: 's3' }, [rollupAt('2026-11-22T10:01:00Z', { accessKeyId: 'AKIATWO' })], 3),
  ]);
  const query = { region: 'us-east-1', from: '20261122' };
  const before = await report(operator, query);
  t.match(before, {
    to: '20261123',
    dropped: 3,
    blastRadius: {
      accessKeyCount: 2,
      accessKeys: [
        { accessKeyId: 'AKIAONE', owner: 'ci', dates: ['20261122', '20261123'] },
        { accessKeyId: 'AKIATWO', dates: ['20261122'] },
      ],
      identities: [{ spiffeId: 'spiffe://keyd.test/region/us-east-1/r1', dates: ['20261122', '20261123'] }],
      acceptances: { count: 6 },
    },
    revocations: [],
  });
  t.ok(
    before.notes.some((note) => note.includes('3 roll-ups')),
    'a lower bound is told',
  );
  t.ok(before.waysBack.some((way) => way.includes('--issued-before')));
  t.ok(
    before.waysBack.some((way) => way.includes('2026-11-24')),
    'tomorrow was issued, too: the day after is the way',
  );

  const edges = ['s3', 'execute-api'].map((service) => spiffeIdOfEdge({ region: 'us-east-1', service }));
  for (const [index, service] of ['s3', 'execute-api'].entries()) {
    const record = encodeIssuanceRecord({
      v: 1,
      id: randomUUID(),
      at: NOON.replace('Z', '.000Z'),
      from: 'spiffe://keyd.test/region/us-east-1/r1',
      to: edges[index] ?? '',
      region: 'us-east-1',
      rung: 'kService',
      service,
      date: day('20261122'),
      accessKeyIds: ['AKIAONE'],
      requestId: randomUUID(),
    });
    await runSql(master.database, 'INSERT INTO issuance (record) VALUES ($1)', [record]);
  }
  const given = async (more: Record<string, string>): Promise<readonly string[]> =>
    (await report(operator, { ...query, ...more })).blastRadius.identities.map(({ spiffeId }) => spiffeId);
  const ofRegion = 'spiffe://keyd.test/region/us-east-1/r1';
  t.strictSame(await given({}), [ofRegion, ...edges.toSorted()], 'edges below the region, too');
  t.strictSame(await given({ service: 's3' }), [ofRegion, edges[0]], 'kRegion makes all services’ keys');
  t.strictSame(await given({ service: 's3', accessKeyId: 'AKIATWO' }), [ofRegion]);

  const body = { region: 'us-east-1', accessKeyId: 'AKIAONE', from: '20261122', incident: 'INC-7', reason: 'a test' };
  await operator.call({ method: 'POST', path: REVOCATIONS_PATH, body, answer: z.unknown() });
  const after = await report(operator, query);
  t.match(after.revocations, [{ incident: 'INC-7', lifted: false }]);
  t.strictSame(
    after.accepted.byAccessKey.map(({ accessKeyId, revoked }) => [accessKeyId, revoked]),
    [
      ['AKIAONE', true],
      ['AKIATWO', false],
    ],
  );
  t.strictSame((await report(operator, { region: 'eu-west-1', from: '20261122' })).revocations, []);

  await t.rejects(report(operator, { from: '20261122', to: '20261121' }), { code: 'malformed-request' });
  await t.rejects(report(operator, { from: 'yesterday' }), { code: 'malformed-request' });
  await t.rejects(report(await regionOf(master), query), { code: 'role-not-allowed' });
});

t.test('the log query finds exactly the requests of the scope', async (t) => {
  const master = await startMaster(t);
  const operator = await master.operator();
  const query = { region: 'us-east-1', service: 's3', accessKeyId: 'AKIAONE', from: '20261120', to: '20261121' };
  const { logQuery } = await report(operator, query);
  const line = (requestId: string, scope: string, given: object = {}): string =>
    `${JSON.stringify({ event: 'request-accepted', accessKeyId: 'AKIAONE', scope: `${scope}/aws4_request`, requestId, ...given })}\n`;
  const folder = newStateFolder(t);
  writeFileSync(
    join(folder, 'edge-1.log'),
    [
      line('in-1', '20261120/us-east-1/s3'),
      line('in-2', '20261121/us-east-1/s3'),
      line('day-before', '20261119/us-east-1/s3'),
      line('day-after', '20261122/us-east-1/s3'),
      line('region', '20261120/eu-west-1/s3'),
      line('service', '20261120/us-east-1/execute-api'),
      line('key', '20261120/us-east-1/s3', { accessKeyId: 'AKIATWO' }),
      line('refused', '20261120/us-east-1/s3', { event: 'request-refused' }),
      '{"event":"started"}\n',
    ].join(''),
  );
  const lines = execFileSync('sh', ['-c', logQuery], { cwd: folder, encoding: 'utf8' }).trim().split('\n');
  const found = lines.map((text) => z.object({ requestId: z.string() }).parse(JSON.parse(text)).requestId);
  t.strictSame(found, ['in-1', 'in-2']);
});

t.test('what cannot have happened is refused, and nothing of it is kept', async (t) => {
  const master = await startMaster(t);
  const region = await regionOf(master);
  const edge = { region: 'us-east-1', service: 's3' };
  const noon = '2026-11-22T12:00:00Z';
  const good = rollupAt('2026-11-22T11:00:00Z');
  const hostile: Record<string, unknown> = {
    'an edge of another region': relayed({ region: 'eu-west-1', service: 's3' }, [good]),
    'a region that is not the edge’s': { ...relayed(edge, [good]), region: 'eu-west-1' },
    'a service that is not the edge’s': { ...relayed(edge, [good]), service: 'execute-api' },
    'another trust domain': { ...relayed(edge, [good]), edge: 'spiffe://other.test/edge/us-east-1/s3/e1' },
    'a region in place of an edge': { ...relayed(edge, [good]), edge: 'spiffe://keyd.test/region/us-east-1/r1' },
    'the far future': relayed(edge, [rollupAt('2026-11-22T12:31:00Z')]),
    'the far past': relayed(edge, [rollupAt('2026-08-01T10:00:00Z')]),
    'a scope date long over': relayed(edge, [rollupAt(noon, { scopeDate: day('20261110') })]),
    'a presigned URL that has outlived its days': relayed(edge, [
      rollupAt(noon, { scopeDate: day('20261113'), mechanism: 'presigned' }),
    ]),
    'a form that has outlived its days': relayed(edge, [
      rollupAt(noon, { scopeDate: day('20261113'), mechanism: 'post-form' }),
    ]),
    'a scope date to come': relayed(edge, [rollupAt(noon, { scopeDate: day('20261124') })]),
    'a negative count': relayed(edge, [{ ...good, count: -1 }]),
    'no count': relayed(edge, [{ ...good, count: 0 }]),
    'a count beyond belief': relayed(edge, [{ ...good, count: 1e12 }]),
    'half a request': relayed(edge, [{ ...good, count: 1.5 }]),
    'first after last': relayed(edge, [{ ...good, first: '2026-11-22T11:00:30.000Z' }]),
    'last outside the minute': relayed(edge, [{ ...good, last: '2026-11-22T11:01:00.000Z' }]),
    'no beginning of a minute': relayed(edge, [{ ...good, minute: '2026-11-22T10:59:59.000Z' }]),
    'an empty batch': relayed(edge, []),
    'a negative number of dropped': relayed(edge, [], -5),
    'an id that is none': relayed(edge, [good], 0, 'again'),
    'too many roll-ups': relayed(
      edge,
      Array.from({ length: 2_001 }, () => good),
    ),
    'a field too many': { ...relayed(edge, [good]), note: 'x' },
  };
  for (const [name, batch] of Object.entries(hostile)) {
    await t.rejects(relay(region, [relayed(edge, [good]), batch]), { code: 'malformed-request' }, name);
  }
  const tooMany = Array.from({ length: 51 }, () => relayed(edge, [good]));
  await t.rejects(relay(region, tooMany), { code: 'malformed-request' }, 'too many batches');
  const huge = { ...relayed(edge, [good]), note: 'x'.repeat(9_000_000) };
  await t.rejects(relay(region, [huge]), { code: 'too-large' }, 'a billion rows would be stopped by their bytes');
  await t.rejects(relay(await master.operator(), [relayed(edge, [good])]), { code: 'role-not-allowed' });
  t.strictSame(await runSql(master.database, 'SELECT * FROM acceptance_batch'), []);
  t.strictSame(await runSql(master.database, 'SELECT * FROM acceptance'), []);

  const id = randomUUID();
  await relay(region, [relayed(edge, [good], 0, id), relayed(edge, [good], 0, id.toUpperCase())]);
  await relay(region, [relayed({ ...edge, name: 'e2' }, [good], 0, id)]);
  const counted = await runSql<{ count: string }>(master.database, 'SELECT sum(count) AS count FROM acceptance');
  t.equal(Number(counted[0]?.count), 2, 'one UUID in two spellings is one batch; of two edges it is two');
});

t.test('a scope with too many rows is refused in time, and says how to ask for less', async (t) => {
  const { database } = await startMaster(t);
  // 40 days of 2,000 access keys each: what a large fleet has.
  await runSql(
    database,
    `INSERT INTO acceptance_day (scope_date, region, service, access_key_id, edge, count, first_at, last_at)
     SELECT to_char(date '2026-10-01' + day, 'YYYYMMDD'), 'us-east-1', 's3', 'AKIA' || number, 'spiffe://e', 1, at, at
       FROM generate_series(0, 39) AS day, generate_series(1, 2000) AS number, (SELECT now() AS at) AS now`,
  );
  const pool = openPool(DatabaseHosts.of(database), silent);
  t.teardown(() => pool.end());
  const of = (query: { readonly from: string; readonly to: string }, withinMs?: number): Promise<IncidentReport> =>
    reportOf(
      { region: 'us-east-1', from: day(query.from), to: day(query.to) },
      {
        pool,
        window: { longestPresignedSeconds: 604_800, clockSkewSeconds: 900 },
        now: () => Date.parse(NOON),
        keptDays: 90,
        statements: () => [],
        ...(withinMs !== undefined && { withinMs }),
      },
    );
  const all = { from: '20261001', to: '20261109' };
  await t.rejects(of(all, 1), {
    code: 'too-large',
    statusCode: 413,
    detail: /fewer days.*region.*service.*access key/,
  });
  t.equal((await of({ from: '20261001', to: '20261001' })).accepted.count, 2_000, 'less of it is told');
  t.match((await of(all)).accepted, { count: 80_000, accessKeyCount: 2_000 }, 'and all of it where there is time');

  await inTransaction(pool, async (transaction) => {
    await transaction.query('SELECT pg_sleep(0.2)');
    const limited = limitedReading(transaction, 100);
    await t.rejects(
      limited.query('SELECT pg_sleep(100)'),
      { code: 'too-large' },
      'one limit for all statements together',
    );
  });
  const { rows } = await pool.query('SHOW statement_timeout');
  t.strictSame(rows, [{ statement_timeout: '10s' }], 'the connection is as it was');
});

t.test('partitions are made ahead and on demand, and dropped when old', async (t) => {
  const master = await startMaster(t, { env: { KEYD_ACCEPTANCES_KEPT: '10d' } });
  const region = await regionOf(master);
  const edge = { region: 'us-east-1', service: 's3' };
  const partitions = async (): Promise<string[]> => {
    const rows = await runSql<{ name: string }>(
      master.database,
      `SELECT relname AS name FROM pg_class JOIN pg_inherits ON inhrelid = oid
        WHERE inhparent = 'acceptance'::regclass AND relkind = 'r' ORDER BY 1`,
    );
    return rows.map(({ name }) => name.replace('acceptance_', ''));
  };
  t.strictSame(await partitions(), ['20261122', '20261123', '20261124'], 'ahead');
  await relay(region, [relayed(edge, [rollupAt('2026-11-14T10:00:00Z', { count: 4 })])]);
  t.strictSame(await partitions(), ['20261114', '20261122', '20261123', '20261124'], 'on demand');
  await runSql(master.database, 'DROP TABLE acceptance_20261114');
  await relay(region, [relayed(edge, [rollupAt('2026-11-14T10:00:00Z', { count: 4 })])]);
  t.ok((await partitions()).includes('20261114'), 'one that another replica has dropped is made again');

  const clock = new VirtualClock('2026-11-25T00:10:00Z');
  const { database, authority, custodyKey } = master;
  const env = { KEYD_ACCEPTANCES_KEPT: '10d' };
  const later = await startMaster(t, { clock, database, authority, custodyKey, env, name: 'm2' });
  t.strictSame(await partitions(), ['20261122', '20261123', '20261124', '20261125', '20261126', '20261127']);
  const { accepted, notes } = await report(await later.operator(), { from: '20261114' });
  t.equal(accepted.count, 0);
  t.match(notes[0], /before 2026-11-15 are no longer kept/);
  const tooOld = relay(await regionOf(later), [relayed(edge, [rollupAt('2026-11-14T10:00:00Z')])]);
  await t.rejects(tooOld, { code: 'malformed-request' });
});
