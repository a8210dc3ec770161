import { JOURNAL_PATH, journalReceipt, LEDGER_RECORDS_PATH, type PeerClient } from '@sigv4-keyd/hop-protocol';
import { decodeIssuanceRecord, encodeIssuanceRecord } from '@sigv4-keyd/ledger';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { runSql } from '../support/postgres.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import {
  BOUND_EDGE,
  EDGE,
  MadeUpJournal,
  publicKeyRecord,
  REGION,
  serviceRecord,
  signingRecord,
} from './made-up-journal.js';
import { wiredMaster, type WiredMaster } from './wired-master.js';

interface Uploading extends Omit<WiredMaster, 'region'> {
  readonly region: PeerClient;
  /** How many kService records there are. */
  readonly taken: () => Promise<number>;
}

async function setUp(t: Test): Promise<Uploading> {
  const master = await wiredMaster(t);
  const { authority, clientOf, database } = master;
  const region = clientOf(await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' }));
  const taken = async (): Promise<number> =>
    (await runSql(database, "SELECT FROM issuance WHERE rung = 'kService'")).length;
  return { ...master, region, taken };
}

t.test('records are taken once, whatever is sent twice, and end in the log', async (t) => {
  const { region, taken, sequence, verify, keydctl, database } = await setUp(t);
  const journal = new MadeUpJournal();
  const records = [serviceRecord(), serviceRecord({ accessKeyIds: ['AKIAONE', 'AKIATWO'] }), serviceRecord()];
  journal.add(...records);
  t.same(await journal.upload(region), { journal: journal.id, next: 4 });
  t.same(await journal.upload(region), { journal: journal.id, next: 4 }, 'the answer was lost, so all comes again');
  const [fourth] = journal.add(serviceRecord());
  t.ok(fourth);
  t.same(
    await journal.upload(region, journal.entries.slice(1)),
    { journal: journal.id, next: 5 },
    'known ones and a new one',
  );
  t.same(await journal.upload(region, journal.entries.slice(0, 2)), { journal: journal.id, next: 5 });
  const path = `${JOURNAL_PATH}?journal=${journal.id}`;
  t.same(await region.call({ method: 'GET', path, answer: journalReceipt }), { journal: journal.id, next: 5 });
  t.equal(await taken(), 4);
  const texts = await runSql<{ record: string }>(database, 'SELECT record FROM issuance ORDER BY id');
  t.same(
    texts.map(({ record }) => record).sort(),
    journal.entries.map(({ record }) => record).sort(),
    'the very texts',
  );
  await sequence(4);
  t.match(await verify(), { code: 0, out: /records +4\n[^]*whole/ });
  const shown = await keydctl('ledger', 'show', '--edge', EDGE, '--access-key', 'AKIATWO', '--json');
  t.match(JSON.parse(shown.out), { records: [{ to: EDGE, from: REGION, service: 's3' }] });
  t.match(await keydctl('ledger', 'show', '--region', 'eu-west-1'), { code: 0, out: /^No records/ });
  t.match(await keydctl('ledger', 'show', '--from', '2026-11-23'), { code: 0, out: /^No records/ });
  t.match(await keydctl('ledger', 'show', '--to', '2026-11-22'), { code: 0, out: /^LEAF[^]*\n3 / });
});

t.test('what a region may not claim is refused, and nothing of that upload is taken', async (t) => {
  const { region, taken } = await setUp(t);
  const rows: readonly (readonly [string, ReturnType<typeof serviceRecord> | string, RegExp])[] = [
    [
      'another region of the same name as issuer',
      serviceRecord({ from: REGION.replace('r1', 'r2') }),
      /record 2: from/,
    ],
    ['the master as issuer', serviceRecord({ from: `spiffe://${TRUST_DOMAIN}/master/m1` }), /record 2: from/],
    ['keys of another region', serviceRecord({ region: 'eu-west-1' }), /record 2: region/],
    ['an edge of another region', serviceRecord({ to: EDGE.replace('us-east-1', 'eu-west-1') }), /record 2: to/],
    ['an edge of another trust domain', serviceRecord({ to: EDGE.replace(TRUST_DOMAIN, 'else.test') }), /record 2: to/],
    ['itself as peer', serviceRecord({ to: REGION }), /record 2: to/],
    ['another service than the edge has', serviceRecord({ service: 'execute-api' }), /record 2: service/],
    ['kRegion', regionRecord(), /record 2: rung/],
    ['kSigning to an edge that is bound to nothing', signingRecord({ to: EDGE }), /record 2: rung.* kService/],
    ['kService to an edge that is bound', serviceRecord({ to: BOUND_EDGE }), /record 2: rung.* kSigning/],
    ['public keys for another service', publicKeyRecord({ service: 'sqs' }), /record 2: service/],
    ['public keys for all services', publicKeyRecord({}), /record 2: service/],
    ['another spelling', encodeIssuanceRecord(serviceRecord()).replace('{', '{ '), /record 2: not the canonical/],
    ['no record', '{}', /record 2: /],
    ['no JSON', 'AKIAONE', /record 2: not JSON/],
  ];
  for (const [name, record, detail] of rows) {
    const journal = new MadeUpJournal();
    journal.add(serviceRecord(), record);
    await t.rejects(journal.upload(region), { code: 'malformed-request', detail }, name);
  }
  const twice = serviceRecord();
  const journal = new MadeUpJournal();
  journal.add(twice, { ...twice, requestId: 'request-2' });
  await t.rejects(
    journal.upload(region),
    { code: 'malformed-request', detail: /id of another/ },
    'one id for two records',
  );
  t.equal(await taken(), 0);
});

t.test('records of public keys and of kSigning are taken like those of kService, and told apart', async (t) => {
  const { region, sequence, verify, keydctl, database } = await setUp(t);
  const journal = new MadeUpJournal();
  journal.add(serviceRecord(), publicKeyRecord(), signingRecord());
  t.same(await journal.upload(region), { journal: journal.id, next: 4 });
  await sequence(3);
  t.match(await verify(), { code: 0, out: /records +3\n[^]*whole/ });
  t.match(await keydctl('ledger', 'show'), { code: 0, out: /aws4_request\/e1 .* s3 \(kSigning\)/ });
  t.match(await keydctl('ledger', 'show'), { code: 0, out: /s3 \(public key\)/ });
  const rows = await runSql(database, "SELECT service FROM issuance WHERE rung = 'publicKey'");
  t.same(rows, [{ service: 's3' }]);
});

t.test('a gap and a fork are refused and told until the journal goes on as it was', async (t) => {
  const { region, taken, logged, until, health } = await setUp(t);
  const journal = new MadeUpJournal('journal-1');
  journal.add(serviceRecord(), serviceRecord(), serviceRecord(), serviceRecord());
  await journal.upload(region, journal.entries.slice(0, 2));
  await t.rejects(journal.upload(region, journal.entries.slice(3)), { code: 'journal-gap', detail: /record 4 .* 3 / });
  t.match(await until(({ refusedJournals }) => refusedJournals.length > 0), {
    refusedJournals: [{ peer: REGION, journal: 'journal-1', refusal: 'journal-gap', expected: 3 }],
  });
  t.match(await health('/health/ready'), { status: 200, body: { warnings: [/journal of .*r1 is refused.*record 3/] } });
  t.ok(logged.some((line) => line.includes('"event":"journal-gap"') && line.includes('"security":true')));

  const other = new MadeUpJournal('journal-1');
  other.add(serviceRecord(), serviceRecord(), serviceRecord());
  await t.rejects(other.upload(region), { code: 'journal-fork', detail: /record 1 / }, 'the same numbers with others');
  await t.rejects(other.upload(region, other.entries.slice(2)), { code: 'journal-fork', detail: /record 3 / });
  const [third] = journal.entries.slice(2);
  t.ok(third);
  const forged = { seq: 3, hash: third?.hash ?? '', record: encodeIssuanceRecord(serviceRecord()) };
  await t.rejects(journal.upload(region, [forged]), { code: 'journal-fork' }, 'another record under the right hash');
  const known = journal.entries.slice(0, 2).map((entry) => ({ ...entry, hash: 'f'.repeat(64) }));
  await t.rejects(journal.upload(region, known), { code: 'journal-fork' }, 'other hashes for what was taken');
  t.match(await until(({ refusedJournals }) => refusedJournals.some(({ refusal }) => refusal === 'journal-fork')), {
    refusedJournals: [{ expected: 3 }],
  });
  t.ok(logged.some((line) => line.includes('"event":"journal-fork"')));
  t.equal(await taken(), 2);

  t.same(await journal.upload(region), { journal: 'journal-1', next: 5 });
  t.equal(await taken(), 4);
  t.match(await until(({ refusedJournals }) => refusedJournals.length === 0), { pending: 0 });
  t.notOk(logged.some((line) => line.includes('journal-begun-anew')));
  const fresh = new MadeUpJournal('journal-2');
  fresh.add(serviceRecord());
  t.same(await fresh.upload(region), { journal: 'journal-2', next: 2 });
  t.ok(
    logged.some((line) => line.includes('"event":"journal-begun-anew"')),
    'a region that begins anew is told',
  );
});

t.test('who may ask what', async (t) => {
  const { region, client, clientOf, authority } = await setUp(t);
  const journal = new MadeUpJournal();
  journal.add(serviceRecord());
  await t.rejects(journal.upload(client), { code: 'role-not-allowed' }, 'an operator');
  const edge = clientOf(await authority.credentials({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' }));
  await t.rejects(journal.upload(edge), { code: 'role-not-allowed' }, 'an edge');
  for (const peer of [region, edge]) {
    await t.rejects(peer.call({ method: 'GET', path: LEDGER_RECORDS_PATH, answer: z.any() }), {
      code: 'role-not-allowed',
    });
  }
  const bodies = [{}, { journal: '../x', entries: journal.entries }, { journal: 'a', entries: [] }];
  for (const body of bodies) {
    const call = region.call({ method: 'POST', path: JOURNAL_PATH, body, answer: z.any() });
    await t.rejects(call, { code: 'malformed-request' }, JSON.stringify(body).slice(0, 40));
  }
  const stranger = clientOf(await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r2' }));
  const path = `${JOURNAL_PATH}?journal=${journal.id}`;
  await journal.upload(region);
  const receipt = await stranger.call({ method: 'GET', path, answer: journalReceipt });
  t.same(receipt, { journal: journal.id, next: 1 }, 'the journal of another region is none of its own');
});

function regionRecord(): ReturnType<typeof serviceRecord> {
  const text = encodeIssuanceRecord(serviceRecord());
  return decodeIssuanceRecord(text.replace('"kService","service":"s3"', '"kRegion"'));
}
