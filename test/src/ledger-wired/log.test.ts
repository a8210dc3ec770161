import { CHECKPOINT_PATH, checkpointAnswer, REPORT_PATH } from '@sigv4-keyd/hop-protocol';
import {
  CheckpointMemory,
  decodeIssuanceRecord,
  noteSigner,
  openCheckpoint,
  parseMerkleHash,
  parseVerifierKey,
  signCheckpoint,
} from '@sigv4-keyd/ledger';
import { DatabaseHosts, migrate, openPool, shippedMigrations } from '@sigv4-keyd/master-keyd';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { capturedLog } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { connected, freshDatabase, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { LEDGER_KEYS } from '../support/test-ledger.js';
import { sizeOf, wiredMaster } from './wired-master.js';

const LOG = { origin: `${TRUST_DOMAIN}/issuance`, verifiers: [parseVerifierKey(LEDGER_KEYS)] };

t.setTimeout(120_000);

/** Changes what triggers and foreign keys protect, as whoever owns the database can. */
function tamper(database: string, statements: string): Promise<unknown> {
  return runSql(database, `SET session_replication_role = replica; ${statements}`);
}

t.test('issuances become leaves; checkpoints prove that the log only grows', async (t) => {
  const master = await wiredMaster(t);
  const { issue, sequence, verify, client } = master;
  const memory = new CheckpointMemory(LOG.origin);
  const follow = async (): Promise<string> => {
    const path = `${CHECKPOINT_PATH}?from=${memory.newest?.size ?? 0}`;
    const { checkpoint, consistency } = await client.call({ method: 'GET', path, answer: checkpointAnswer });
    const proof = consistency.flatMap((text) => parseMerkleHash(text) ?? []);
    return memory.accept(openCheckpoint(checkpoint, LOG), proof);
  };
  t.equal(await follow(), 'first', 'an empty log is signed, too');
  const sizes = [1, 2, 3, 5, 8, 13];
  for (const size of sizes) {
    const before = memory.newest?.size ?? 0;
    await issue(...Array.from({ length: size - before }, (_, n) => `r${before + n}`));
    await sequence(size);
    t.equal(await follow(), 'advanced');
  }
  t.equal(await follow(), 'unchanged');
  t.match(await verify('--json'), { code: 0, out: /"size": 13/ });
  const region = master.clientOf(
    await master.authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' }),
  );
  t.equal(await sizeOf(region), 13, 'regions may ask, too');
});

t.test('whatever commits late is sequenced, too, once', async (t) => {
  const { issue, sequence, verify, database } = await wiredMaster(t);
  await issue('r1', 'r2', 'r3');
  await sequence(3);
  // Three records are taken back into a transaction each, which commit in another order than they were written.
  const late = await Promise.all([1, 2, 3].map(() => connected(t, database)));
  for (const [n, client] of late.entries()) {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO issuance (record) SELECT replace(replace(record, id, $1), 'r1', 'late') FROM issuance
        WHERE peer LIKE '%/r1'`,
      [`late-${n}`],
    );
    await client.query(
      `INSERT INTO ledger_pending (issuer, id, issued_at, leaf_hash)
       SELECT issuer, id, issued_at - interval '1 day', sha256('\\x00'::bytea || convert_to(record, 'UTF8'))
         FROM issuance WHERE id = $1`,
      [`late-${n}`],
    );
  }
  await issue('r4');
  await sequence(4);
  for (const [n, client] of [...late.entries()].reverse()) {
    await client.query('COMMIT');
    await issue(`r${5 + n}`);
    await sequence(4 + 2 * (3 - n));
  }
  t.match(await verify(), { code: 0, out: /records +10\n/ });
  const rows = await runSql<{ id: string }>(database, "SELECT id FROM ledger_leaf WHERE id LIKE 'late%' ORDER BY leaf");
  t.same(
    rows.map(({ id }) => id),
    ['late-2', 'late-1', 'late-0'],
    'in the order of their commits',
  );
});

t.test('of two masters one sequences, and the other goes on', async (t) => {
  const one = await wiredMaster(t);
  const { database, authority, custodyKey } = one;
  const two = await wiredMaster(t, { database, authority, custodyKey, name: 'm2' });
  await Promise.all([one.issue('r1', 'r2'), two.issue('r3', 'r4')]);
  await Promise.all([one.sequence(4), two.sequence(4)]);

  const holder = await connected(t, database);
  await holder.query('BEGIN; SELECT pg_advisory_xact_lock(7434004)');
  await two.issue('r5', 'r6');
  await Promise.all([one.clock.advance(3_000), two.clock.advance(3_000)]);
  t.match(await two.until(({ pending }) => pending === 2), { size: 4 }, 'while another master is at it, nobody is');
  await holder.query('COMMIT');
  await two.sequence(6);

  await one.service.close();
  await two.issue('r7');
  await two.sequence(7);
  t.match(await two.verify(), { code: 0, out: /records +7\n/ });
  const twice = await runSql(database, 'SELECT issuer, id FROM ledger_leaf GROUP BY issuer, id HAVING count(*) > 1');
  t.same(twice, []);
});

t.test('keydctl ledger verify names what was tampered with', async (t) => {
  const { issue, sequence, verify, database } = await wiredMaster(t);
  await issue(...Array.from({ length: 7 }, (_, n) => `r${n}`));
  await sequence(7);
  const saved = join(newStateFolder(t), 'checkpoint');
  t.match(await verify('--save', saved), { code: 0 });
  const idOf = async (leaf: number): Promise<string> => {
    const [row] = await runSql<{ id: string }>(database, 'SELECT id FROM ledger_leaf WHERE leaf = $1', [leaf]);
    return row?.id ?? '';
  };
  const [second, fifth] = [await idOf(2), await idOf(5)];
  const recordOf = `(SELECT record FROM issuance WHERE id = '${second}')`;
  const rows: readonly (readonly [name: string, change: string, undo: string, said: RegExp])[] = [
    [
      'a record was changed',
      `UPDATE issuance SET record = replace(record, 'AKIAONE', 'AKIATWO') WHERE id = '${second}'`,
      `UPDATE issuance SET record = replace(record, 'AKIATWO', 'AKIAONE') WHERE id = '${second}'`,
      new RegExp(`leaf 2: its record was changed \\(id ${second}\\)`),
    ],
    [
      'a record was deleted',
      `CREATE TABLE kept AS SELECT ${recordOf} AS record; DELETE FROM issuance WHERE id = '${second}'`,
      'INSERT INTO issuance (record) SELECT record FROM kept; DROP TABLE kept',
      /leaf 2: its record is gone/,
    ],
    [
      'a leaf was deleted',
      'CREATE TABLE kept AS SELECT * FROM ledger_leaf WHERE leaf = 2; DELETE FROM ledger_leaf WHERE leaf = 2',
      'INSERT INTO ledger_leaf SELECT * FROM kept; DROP TABLE kept',
      /leaf 2: its record is gone/,
    ],
    [
      'two leaves changed places',
      `UPDATE ledger_leaf SET leaf = 100 WHERE leaf = 2; UPDATE ledger_leaf SET leaf = 2 WHERE leaf = 5;
       UPDATE ledger_leaf SET leaf = 5 WHERE leaf = 100`,
      `UPDATE ledger_leaf SET leaf = 100 WHERE leaf = 2; UPDATE ledger_leaf SET leaf = 2 WHERE leaf = 5;
       UPDATE ledger_leaf SET leaf = 5 WHERE leaf = 100`,
      /leaf 2: it holds the record of leaf 5: the order was changed; leaf 5: it holds the record of leaf 2/,
    ],
    [
      'the hashes are gone',
      'CREATE TABLE kept AS SELECT * FROM ledger_tile; DELETE FROM ledger_tile',
      'INSERT INTO ledger_tile SELECT * FROM kept; DROP TABLE kept',
      /leaf 0: the log has lost its hash/,
    ],
    [
      'a record and its hash were changed together',
      `UPDATE issuance SET record = replace(record, 'AKIAONE', 'AKIATWO') WHERE id = '${fifth}';
       UPDATE ledger_tile SET hashes = overlay(hashes PLACING (SELECT sha256('\\x00'::bytea || convert_to(record, 'UTF8'))
         FROM issuance WHERE id = '${fifth}') FROM 161 FOR 32)`,
      `UPDATE issuance SET record = replace(record, 'AKIATWO', 'AKIAONE') WHERE id = '${fifth}';
       UPDATE ledger_tile SET hashes = overlay(hashes PLACING (SELECT sha256('\\x00'::bytea || convert_to(record, 'UTF8'))
         FROM issuance WHERE id = '${fifth}') FROM 161 FOR 32)`,
      /tampered with: the records do not lead to the root of .*the master's checkpoint \(7 leaves\)/,
    ],
    [
      'the note was changed',
      "UPDATE ledger_head SET note = replace(note, E'\\n7\\n', E'\\n6\\n')",
      "UPDATE ledger_head SET note = replace(note, E'\\n6\\n', E'\\n7\\n')",
      /the master's checkpoint: A signature by a known key does not fit/,
    ],
  ];
  for (const [name, change, undo, said] of rows) {
    await tamper(database, change);
    t.match(await verify(), { code: 1, err: said }, name);
    await tamper(database, undo);
    t.match(await verify(), { code: 0 }, `undone: ${name}`);
  }

  const [head] = await runSql<{ note: string }>(database, 'SELECT note FROM ledger_head');
  await issue('r8', 'r9');
  await sequence(9);
  const newest = join(newStateFolder(t), 'checkpoint');
  writeFileSync(newest, head?.note ?? '');
  t.match(await verify('--save', newest), { code: 0, out: /contains +the checkpoint in .* \(7 records\)/ });
  t.match(readFileSync(newest, 'utf8'), /\n9\n/, 'the newest is kept');
  t.match(await verify('--checkpoint', join(newest, '..', 'none')), { code: 2, err: /there is no file/ });
  const forged = join(newStateFolder(t), 'checkpoint');
  const stranger = noteSigner(LOG.origin, randomBytes(32));
  writeFileSync(
    forged,
    signCheckpoint({ origin: LOG.origin, size: 0, root: emptyRootOf(), extensions: [] }, [stranger]),
  );
  t.match(await verify('--checkpoint', forged), { code: 1, err: /None of the signatures is by a known key/ });
});

t.test('a log that was cut or set back is found by whoever has seen more of it', async (t) => {
  const master = await wiredMaster(t);
  const { issue, sequence, verify, database, until, clientOf, authority, logged } = master;
  await issue('r1', 'r2', 'r3');
  await sequence(3);
  await runSql(
    database,
    'CREATE TABLE older_head AS SELECT * FROM ledger_head; CREATE TABLE older_tile AS SELECT * FROM ledger_tile',
  );
  await issue('r4', 'r5');
  await sequence(5);
  const saved = join(newStateFolder(t), 'checkpoint');
  t.match(await verify('--save', saved), { code: 0 });
  await tamper(
    database,
    `DELETE FROM issuance WHERE (issuer, id) IN (SELECT issuer, id FROM ledger_leaf WHERE leaf >= 3);
     DELETE FROM ledger_leaf WHERE leaf >= 3;
     DELETE FROM ledger_head; INSERT INTO ledger_head SELECT * FROM older_head;
     DELETE FROM ledger_tile; INSERT INTO ledger_tile SELECT * FROM older_tile`,
  );
  t.match(await verify(), { code: 0 }, 'by itself it is whole');
  t.match(await verify('--save', saved), {
    code: 1,
    err: /the log ends after 3 leaves, and the checkpoint in .* is of 5/,
  });
  t.match(readFileSync(saved, 'utf8'), /\n5\n/, 'and what was saved stays');

  const region = clientOf(await authority.credentials({ role: 'region', region: 'us-east-1', name: 'r1' }));
  const at = new Date(master.clock.now()).toISOString();
  const report = (size: number, note: string) => ({
    startedAt: at,
    version: '0.1.0',
    heldDays: [],
    certificateExpiresAt: at,
    edges: [],
    checkpoint: { size, note },
  });
  const send = (body: object): Promise<unknown> =>
    region.call({ method: 'POST', path: REPORT_PATH, body, answer: z.any() });
  await send(report(1_000_000, 'made up'));
  await master.clock.advance(2_000);
  t.match(await until(() => true), { ahead: [] }, 'a region that claims what we never signed is not believed');
  await send(report(5, readFileSync(saved, 'utf8')));
  t.match(await until(({ ahead }) => ahead.length > 0), { ahead: [{ size: 5 }] });
  t.match(await master.health('/health/ready'), {
    body: { warnings: [/has seen 5 leaves of the ledger, and there are 3/] },
  });
  t.ok(logged.some((line) => line.includes('"event":"ledger-set-back"')));

  // It goes on from there: another log of the same length.
  await issue('r6', 'r7');
  await sequence(5);
  t.match(await verify('--save', saved), {
    code: 1,
    err: /do not lead to the root of the checkpoint in .* \(5 leaves\)/,
  });
});

t.test('what is not the tree of the last checkpoint gets no signature', async (t) => {
  const { issue, sequence, size, until, database, logged } = await wiredMaster(t);
  await issue('r1');
  await sequence(1);
  await runSql(database, 'CREATE TABLE older AS SELECT * FROM ledger_head');
  await issue('r2');
  await sequence(2);
  await runSql(database, 'UPDATE ledger_head SET frontier = older.frontier, size = older.size FROM older');
  await issue('r3');
  t.match(await until(({ failure }) => failure !== undefined), { failure: /not the tree of the newest checkpoint/ });
  t.equal(await size(), 2, 'the last checkpoint stands');
  t.ok(logged.some((line) => line.includes('"event":"ledger-damaged"') && line.includes('ALARM')));
});

t.test('a new key signs the log as it is', async (t) => {
  const one = await wiredMaster(t);
  const { database, authority, custodyKey } = one;
  await one.issue('r1');
  await one.sequence(1);
  await runSql(database, 'UPDATE ledger_head SET note = $1', [
    signCheckpoint(
      openCheckpoint(
        (await one.client.call({ method: 'GET', path: CHECKPOINT_PATH, answer: checkpointAnswer })).checkpoint,
        LOG,
      ),
      [noteSigner(LOG.origin, randomBytes(32))],
    ),
  ]);
  t.match(await one.verify(), { code: 1, err: /None of the signatures/ });
  const two = await wiredMaster(t, { database, authority, custodyKey, name: 'm2' });
  t.match(await two.verify(), { code: 0, out: /records +1\n/ });
  t.ok(two.logged.some((line) => line.includes('"event":"ledger-key-changed"')));
});

t.test('issuances from before the ledger become records in their canonical text', async (t) => {
  const database = await freshDatabase(t);
  const { log } = capturedLog();
  const pool = openPool(DatabaseHosts.of(database), log);
  t.teardown(() => pool.end());
  const migrations = await shippedMigrations();
  const before = migrations.findIndex(({ name }) => name.includes('ledger'));
  await migrate(pool, migrations.slice(0, before), log);
  await runSql(
    database,
    `INSERT INTO issuance (id, issued_at, peer, region, scope_date, access_key_ids, absent_count, master, request_id)
     VALUES ($1, '2026-11-22T12:00:00.007Z', $2, 'us-east-1', '20261122', $3, 2, $4, 'request-1')`,
    [
      randomUUID(),
      `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`,
      ['AKIA_B', 'AKIAZ', 'AKIA1'],
      `spiffe://${TRUST_DOMAIN}/master/m1`,
    ],
  );
  await migrate(pool, migrations, log);
  const [row] = await runSql<{ record: string }>(
    database,
    'SELECT record FROM issuance JOIN ledger_pending USING (issuer, id)',
  );
  t.match(decodeIssuanceRecord(row?.record ?? ''), {
    at: '2026-11-22T12:00:00.007Z',
    accessKeyIds: ['AKIA1', 'AKIAZ', 'AKIA_B'],
    rung: 'kRegion',
    to: `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`,
  });
});

function emptyRootOf(): ReturnType<typeof openCheckpoint>['root'] {
  const root = parseMerkleHash('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  if (root === undefined) throw new Error('SHA-256 of nothing is 32 bytes');
  return root;
}
