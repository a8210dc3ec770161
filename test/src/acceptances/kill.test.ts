import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { publicJwks } from '@sigv4-keyd/revocation';
import t from 'tap';
import { environment, sharedFeedKeys } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { freshDatabase, postgresOfItsOwn, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { serviceProcess, until, Victim } from '../support/victim.js';
import { freePort } from '../support/free-port.js';
import { tierSettings } from '../support/tier-settings.js';

t.setTimeout(120_000);

t.test('kill -9 of any of them: each sealed roll-up is counted once', async (t) => {
  const authority = await TestAuthority.create(newStateFolder(t));
  const postgres = await postgresOfItsOwn(t);
  const database = await freshDatabase(t, postgres);
  const [masterPort, regionPort] = [await freePort(), await freePort()];
  const folders = { region: newStateFolder(t), edge: newStateFolder(t) };
  const { revocation, beacon, root } = await sharedFeedKeys();

  const masterEnv = await environment(authority, { database, custodyKey: randomBytes(32) });
  const master = serviceProcess(t, 'master-keyd', { ...masterEnv, KEYD_LISTEN: `127.0.0.1:${masterPort}` });
  const files = await authority.filesOf({ role: 'region', region: 'us-east-1', name: 'r1' });
  const region = serviceProcess(t, 'region-keyd', {
    ...tierSettings(files, JSON.stringify(publicJwks([revocation, beacon, root])), folders.region),
    KEYD_LISTEN: `127.0.0.1:${regionPort}`,
    KEYD_MASTERS: `https://127.0.0.1:${masterPort}`,
  });
  const edgeFiles = await authority.filesOf({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' });
  const edgeSettings = JSON.stringify({
    region: `https://127.0.0.1:${regionPort}`,
    stateFolder: folders.edge,
    ...edgeFiles,
  });
  let edgesStarted = 0;
  const program = fileURLToPath(new URL('counting-edge.js', import.meta.url));
  const edge = new Victim(t, () => {
    const first = edgesStarted * 10_000;
    edgesStarted += 1;
    return spawn(process.execPath, [program, edgeSettings, String(first)], { stdio: ['pipe', 'pipe', 'inherit'] });
  });
  const sealed: number[] = [];
  const startEdge = (): void => {
    const { stdout } = edge.start();
    if (stdout) createInterface({ input: stdout }).on('line', (line) => sealed.push(Number(line)));
  };
  const waiting = (tier: 'region' | 'edge'): number => {
    try {
      return readdirSync(join(folders[tier], 'rollups')).length;
    } catch {
      return 0;
    }
  };
  const counted = async (): Promise<ReadonlyMap<number, number>> => {
    const rows = await runSql<{ id: string; count: string }>(
      database,
      'SELECT access_key_id AS id, sum(count) AS count FROM acceptance GROUP BY 1',
    );
    return new Map(rows.map(({ id, count }) => [Number(id.slice(4)), Number(count)]));
  };
  const more = async (lines: number): Promise<void> => {
    const enough = sealed.length + lines;
    await until(() => sealed.length >= enough);
  };
  const arrived = async (): Promise<boolean> => (await counted().catch(() => new Map())).size > 0;

  master.start();
  region.start();
  startEdge();
  await until(arrived);
  const kills: readonly (readonly [string, () => Promise<void>])[] = [
    [
      'region-keyd',
      async () => {
        await region.kill();
        await more(10);
        region.start();
      },
    ],
    [
      'master-keyd',
      async () => {
        await master.kill();
        await more(10);
        master.start();
      },
    ],
    [
      'PostgreSQL',
      async () => {
        await postgres.kill9();
        await more(10);
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
        master.start();
        region.start();
        startEdge();
      },
    ],
  ];
  for (const [name, kill] of kills) {
    await more(15);
    await kill();
    t.pass(`killed: ${name}`);
  }
  await more(15);
  edge.child?.stdin?.end();
  await until(async () => {
    const found = await counted().catch(() => new Map<number, number>());
    return sealed.every((number) => found.has(number)) && waiting('edge') === 0 && waiting('region') === 0;
  });
  const found = await counted();
  t.strictSame(
    sealed.filter((number) => found.get(number) !== 1),
    [],
    `${sealed.length} sealed, each counted once`,
  );
  t.strictSame(
    [...found].filter(([, count]) => count !== 1),
    [],
    'none is doubled',
  );
  const days = await runSql<{ count: string }>(database, 'SELECT sum(count) AS count FROM acceptance_day');
  t.equal(Number(days[0]?.count), found.size, 'days and minutes agree');
  const [batches] = await runSql<{ dropped: string }>(database, 'SELECT sum(dropped) AS dropped FROM acceptance_batch');
  t.equal(Number(batches?.dropped), 0);
});
