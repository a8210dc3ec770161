import { spawn } from 'node:child_process';
import { createSecretKey, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { fileCustody } from '@sigv4-keyd/master-keyd';
import { issuanceRecordForm, openJournal } from '@sigv4-keyd/ledger';
import t from 'tap';
import { freePort } from '../support/free-port.js';
import { environment } from '../master-keyd/master-under-test.js';
import { keydctl } from '../keydctl/keydctl-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { freshDatabase, postgresOfItsOwn, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { LEDGER_KEYS } from '../support/test-ledger.js';
import { serviceProcess, until, Victim } from '../support/victim.js';
import { regionEnvironment } from './wired-region.js';

t.setTimeout(180_000);

t.test('kill -9 of any of them: every key that an edge got is recorded, once', async (t) => {
  const authority = await TestAuthority.create(newStateFolder(t));
  const postgres = await postgresOfItsOwn(t);
  const database = await freshDatabase(t, postgres);
  const [masterPort, secondPort, regionPort] = [await freePort(), await freePort(), await freePort()];
  const custodyKey = randomBytes(32);
  const settings = { database, custodyKey };
  const masterEnv = { ...(await environment(authority, settings)), KEYD_LISTEN: `127.0.0.1:${masterPort}` };
  const secondEnv = {
    ...(await environment(authority, { ...settings, name: 'm2' })),
    KEYD_LISTEN: `127.0.0.1:${secondPort}`,
  };
  const [master, second] = [serviceProcess(t, 'master-keyd', masterEnv), serviceProcess(t, 'master-keyd', secondEnv)];
  const stateFolder = newStateFolder(t);
  const masterUrl = `https://127.0.0.1:${masterPort},https://127.0.0.1:${secondPort}`;
  const region = serviceProcess(t, 'region-keyd', {
    ...(await regionEnvironment({ authority }, { stateFolder, masterUrl })),
    KEYD_LISTEN: `127.0.0.1:${regionPort}`,
  });
  master.start();
  second.start();
  const accessKeyIds = Array.from({ length: 2_000 }, (_, n) => `AKIA${String(n).padStart(5, '0')}`);
  const isPrepared = async (): Promise<boolean> => (await runSql(database, 'SELECT FROM custody_check')).length > 0;
  await until(() => isPrepared().catch(() => false));
  const custody = fileCustody(createSecretKey(custodyKey));
  await runSql(
    database,
    `INSERT INTO access_key (id, owner, status, created_at, version, sealed_secret)
     SELECT id, 'ann', 'enabled', now(), 1, sealed FROM unnest($1::text[], $2::bytea[]) AS made (id, sealed)`,
    [
      accessKeyIds,
      accessKeyIds.map((accessKeyId) => custody.seal({ accessKeyId, version: 1 }, `secret-of-${accessKeyId}`)),
    ],
  );
  region.start();

  const files = await authority.filesOf({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' });
  const program = fileURLToPath(new URL('asking-edge.js', import.meta.url));
  const asked = JSON.stringify({ region: `https://127.0.0.1:${regionPort}`, ...files, accessKeyIds });
  const edge = new Victim(t, () => spawn(process.execPath, [program, asked], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const given: string[] = [];
  const { stdout, stdin } = edge.start();
  if (stdout) createInterface({ input: stdout }).on('line', (id) => given.push(id));
  const more = async (keys: number): Promise<void> => {
    const enough = given.length + keys;
    await until(() => given.length >= enough);
  };

  const recordedOnDisk = (): string => {
    const folder = join(stateFolder, 'journal');
    const segments = readdirSync(folder).filter((name) => name.startsWith('journal'));
    return segments.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  };
  await more(20);
  for (let round = 0; round < 3; round += 1) {
    await region.kill();
    const journal = recordedOnDisk();
    t.same(
      given.filter((id) => !journal.includes(`"${id}"`)),
      [],
      `each of ${given.length} keys is in the journal`,
    );
    region.start();
    await more(15);
  }
  const kills: readonly (readonly [string, () => Promise<void>])[] = [
    [
      'the first master',
      async () => {
        await master.kill();
        await more(10);
        master.start();
      },
    ],
    [
      'the second master',
      async () => {
        await second.kill();
        await more(10);
        second.start();
      },
    ],
    [
      'PostgreSQL',
      async () => {
        await postgres.kill9();
        await postgres.restart();
      },
    ],
    [
      'all of them',
      async () => {
        await Promise.all([postgres.kill9(), region.kill(), master.kill(), second.kill()]);
        await postgres.restart();
        for (const victim of [master, second, region]) victim.start();
      },
    ],
  ];
  for (const [name, kill] of kills) {
    await kill();
    await more(15);
    t.pass(`killed: ${name}`);
  }
  stdin?.end();
  await until(async () => {
    // One statement, one snapshot: an upload between two would be taken for sequenced.
    const [row] = await runSql<{ left: number; uploaded: number }>(
      database,
      `SELECT (SELECT count(*) FROM ledger_pending)::integer
              + (SELECT count(*) FROM issuance LEFT JOIN ledger_leaf USING (issuer, id) WHERE leaf IS NULL)::integer AS left,
              (SELECT next_seq::integer - 1 FROM region_journal) AS uploaded`,
    ).catch(() => []);
    return row?.left === 0 && row.uploaded === recordedOnDisk().trimEnd().split('\n').length - 1;
  });
  await region.stop();
  const rows = await runSql<{ record: string }>(
    database,
    "SELECT record FROM issuance JOIN ledger_leaf USING (issuer, id) WHERE rung = 'kService'",
  );
  const journal = await openJournal({ folder: join(stateFolder, 'journal'), form: issuanceRecordForm });
  const texts: string[] = [];
  for await (const { record } of journal.readFrom(1)) texts.push(issuanceRecordForm.encode(record));
  await journal.close();
  t.same(
    rows.map(({ record }) => record).sort(),
    texts.sort(),
    `${texts.length} records of the journal, each once in the log`,
  );
  const recorded = new Map<string, number>();
  for (const text of texts) {
    for (const id of issuanceRecordForm.decode(text).accessKeyIds) recorded.set(id, (recorded.get(id) ?? 0) + 1);
  }
  const got = new Map<string, number>();
  for (const id of given) got.set(id, (got.get(id) ?? 0) + 1);
  t.same(
    [...got].filter(([id, times]) => (recorded.get(id) ?? 0) < times),
    [],
    'as often as it was given at least',
  );

  const operator = await authority.filesOf({ role: 'operator', name: 'auditor' });
  const key = join(newStateFolder(t), 'ledger.pub');
  writeFileSync(key, LEDGER_KEYS);
  const address = [
    '--master',
    `https://127.0.0.1:${secondPort}`,
    '--cert',
    operator.cert,
    '--key',
    operator.key,
    '--ca',
    operator.ca,
  ];
  const checkpoint = join(stateFolder, 'ledger-checkpoint');
  const verified = await keydctl(['ledger', 'verify', '--ledger-key', key, '--checkpoint', checkpoint, ...address]);
  t.match(verified, { code: 0, out: /whole/ });
});
