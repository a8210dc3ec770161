import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decodeIssuanceRecord } from '@sigv4-keyd/ledger';
import t from 'tap';
import { freePort } from '../support/free-port.js';
import { regionEnvironment } from '../ledger-wired/wired-region.js';
import { environment } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { insertAccessKeys, madeUpIds } from '../support/made-up-access-keys.js';
import { freshDatabase, postgresOfItsOwn, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { serviceProcess, until, Victim } from '../support/victim.js';

t.setTimeout(180_000);

t.test('kill -9 of any of them in the middle of a stream: whole or absent, and recorded', async (t) => {
  const authority = await TestAuthority.create(newStateFolder(t));
  const postgres = await postgresOfItsOwn(t);
  const database = await freshDatabase(t, postgres);
  const [masterPort, regionPort] = [await freePort(), await freePort()];
  const custodyKey = randomBytes(32);
  const master = serviceProcess(t, 'master-keyd', {
    ...(await environment(authority, { database, custodyKey })),
    KEYD_LISTEN: `127.0.0.1:${masterPort}`,
  });
  const stateFolder = newStateFolder(t);
  const region = serviceProcess(t, 'region-keyd', {
    ...(await regionEnvironment({ authority }, { stateFolder, masterUrl: `https://127.0.0.1:${masterPort}` })),
    KEYD_LISTEN: `127.0.0.1:${regionPort}`,
  });
  master.start();
  const isPrepared = async (): Promise<boolean> => (await runSql(database, 'SELECT FROM custody_check')).length > 0;
  await until(() => isPrepared().catch(() => false));
  const ids = madeUpIds(11_000);
  await insertAccessKeys({ database, custodyKey }, ids);
  region.start();

  const files = await authority.filesOf({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' });
  const settings = JSON.stringify({ region: `https://127.0.0.1:${regionPort}`, ...files });
  const program = fileURLToPath(new URL('pulling-edge.js', import.meta.url));
  const edge = new Victim(t, () =>
    spawn(process.execPath, [program, settings], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  let pages = 0;
  let whole = 0;
  const given = new Set<string>();
  const wrong: string[] = [];
  const counts = new Set<string>();
  const startEdge = (): void => {
    const { stdout } = edge.start();
    if (!stdout) return;
    createInterface({ input: stdout }).on('line', (line) => {
      if (line.startsWith('end ')) {
        whole += 1;
        counts.add(line);
        return;
      }
      pages += 1;
      for (const id of line.split(',')) {
        if (id.startsWith('wrong')) wrong.push(id);
        else given.add(id);
      }
    });
  };
  startEdge();
  const morePages = async (more: number): Promise<void> => {
    const enough = pages + more;
    await until(() => pages >= enough);
  };
  await morePages(1);
  const kills: readonly (readonly [string, () => Promise<void>])[] = [
    [
      'the region',
      async () => {
        await region.kill();
        region.start();
      },
    ],
    [
      'the master, while the region pulls',
      async () => {
        // A region that starts anew holds nothing, and pulls for the edge that goes on.
        await region.kill();
        region.start();
        await morePages(1);
        await master.kill();
        master.start();
      },
    ],
    [
      'PostgreSQL, likewise',
      async () => {
        await region.kill();
        region.start();
        await morePages(1);
        await postgres.kill9();
        await postgres.restart();
      },
    ],
    [
      'the edge',
      async () => {
        await edge.kill();
        startEdge();
      },
    ],
    [
      'all of them',
      async () => {
        await Promise.all([postgres.kill9(), region.kill(), master.kill(), edge.kill()]);
        await postgres.restart();
        for (const victim of [master, region]) victim.start();
        startEdge();
      },
    ],
  ];
  for (const [name, kill] of kills) {
    const before = whole;
    await kill();
    await until(() => whole > before);
    t.pass(`killed: ${name}; a whole day came afterwards`);
    await morePages(1);
  }
  edge.child?.stdin?.end();
  await region.stop();

  t.same(wrong, [], 'no key is wrong');
  t.same([...counts], [`end ${ids.length}`], `${whole} days, none of which had more or fewer keys`);
  t.same([...given].sort(), ids);
  const journal = join(stateFolder, 'journal');
  const segments = readdirSync(journal).filter((name) => name.startsWith('journal'));
  const lines = segments.map((name) => readFileSync(join(journal, name), 'utf8')).join('');
  t.same(
    [...given].filter((id) => !lines.includes(`"${id}"`)),
    [],
    "every key that the edge has is in the region's journal",
  );
  const rows = await runSql<{ record: string }>(database, "SELECT record FROM issuance WHERE rung = 'kRegion'");
  const recorded = new Set(rows.flatMap(({ record }) => decodeIssuanceRecord(record).accessKeyIds));
  t.same(
    [...given].filter((id) => !recorded.has(id)),
    [],
    'and was given to the region on the record of the master',
  );
});
