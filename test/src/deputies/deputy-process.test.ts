import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  DEPUTY_GRANTS_PATH,
  deputyGrant,
  KeydError,
  mtlsKeySource,
  PeerClient,
  REGION_KEYS,
} from '@sigv4-keyd/hop-protocol';
import { addDays, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { environment } from '../master-keyd/master-under-test.js';
import { kDatesOf, secretsOf } from '../memory/ladder.js';
import { canReadMemoryOf, memoryOf } from '../memory/process-memory.js';
import { TestAuthority } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { KeySearch } from '../support/key-search.js';
import { insertAccessKeys, madeUpIds, secretOf } from '../support/made-up-access-keys.js';
import { freshDatabase, runSql } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { serviceProcess, until } from '../support/victim.js';
import { DEPUTY, deputyEnvironment, type DeputyStatus } from './wired-deputy.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

t.setTimeout(170_000);

/** How many keys are given before the first kill -9, and between two of them. */
const GIVEN = 8;

t.test('a deputy as a process: kill -9 loses no record of what was given, and its memory has no secret', async (t) => {
  const authority = await TestAuthority.create(newStateFolder(t));
  const database = await freshDatabase(t);
  const custodyKey = randomBytes(32);
  const [masterAt, deputyAt, health] = [await freePort(), await freePort(), await freePort()].map(
    (port) => `127.0.0.1:${port}`,
  );
  const masterEnv = await environment(authority, { database, custodyKey });
  const stateFolder = newStateFolder(t);
  const files = await authority.filesOf({ role: 'deputy', name: 'd1' });
  const deputyEnv = await deputyEnvironment(files, { stateFolder, masterUrl: `https://${masterAt ?? ''}` });
  const master = serviceProcess(t, 'master-keyd', {
    ...masterEnv,
    KEYD_ALLOW_DEPUTIES: 'yes',
    KEYD_LISTEN: masterAt ?? '',
  });
  const deputy = serviceProcess(t, 'deputy-keyd', {
    ...deputyEnv,
    KEYD_LISTEN: deputyAt ?? '',
    KEYD_HEALTH_LISTEN: health ?? '',
  });
  master.start();
  await until(() =>
    runSql(database, 'SELECT FROM custody_check').then(
      (rows) => rows.length > 0,
      () => false,
    ),
  );
  const ids = madeUpIds(100);
  await insertAccessKeys({ database, custodyKey }, ids);
  const clientTo = async (url: string, identity: Parameters<TestAuthority['credentials']>[0]): Promise<PeerClient> => {
    const credentials = await authority.credentials(identity);
    const dispatcher = createMtlsAgent({ credentials, timer: STANDING_TIMER, acceptsServer: () => true });
    t.teardown(() => dispatcher.destroy());
    return new PeerClient({ urls: [new URL(`https://${url}`)], dispatcher, timer: STANDING_TIMER });
  };
  const operator = await clientTo(masterAt ?? '', { role: 'operator', name: 'alice' });
  const today = scopeDateOf(Date.now());
  const dates = [today, addDays(today, 1)];
  const body = { deputy: DEPUTY, from: today, to: addDays(today, 1), reason: 'a test' };
  const grant = { method: 'POST', path: DEPUTY_GRANTS_PATH, body, answer: deputyGrant } as const;
  await until(() =>
    operator.call(grant).then(
      () => true,
      () => false,
    ),
  );

  const status = async (): Promise<DeputyStatus> =>
    (await (await fetch(`http://${health ?? ''}/status`)).json()) as DeputyStatus;
  const holdsAll = ({ heldDays }: DeputyStatus): boolean =>
    heldDays.filter(({ keys }) => keys === ids.length).length === dates.length;
  const isWhole = (): Promise<boolean> => status().then(holdsAll, () => false);
  deputy.start();
  await until(isWhole);
  // Every key is on disk, too: the master is not there when the deputy comes back.
  await until(() => status().then(({ keyCache }) => !keyCache.isBehind));
  await master.kill();

  const region = mtlsKeySource(
    REGION_KEYS,
    { region: 'us-east-1' },
    await clientTo(deputyAt ?? '', { role: 'region', region: 'us-east-1', name: 'r1' }),
  );
  const given: string[] = [];
  const giveMore = async (wanted: number): Promise<void> => {
    for (const accessKeyId of ids.slice(given.length, given.length + wanted)) {
      await until(async () => {
        try {
          return (await region.issue({ date: scopeDateOf(Date.now()), accessKeyIds: [accessKeyId] })).issued.size === 1;
        } catch (error) {
          if (error instanceof KeydError) return false;
          throw error;
        }
      });
      given.push(accessKeyId);
    }
  };
  const journal = (): string => {
    const folder = join(stateFolder, 'journal');
    const segments = readdirSync(folder).filter((name) => name.startsWith('journal'));
    return segments.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  };
  for (let round = 0; round < 3; round += 1) {
    await giveMore(GIVEN);
    await deputy.kill();
    const recorded = journal();
    t.same(
      given.filter((id) => !recorded.includes(`"${id}"`)),
      [],
      `each of ${given.length} keys is recorded`,
    );
    deputy.start();
  }
  await giveMore(GIVEN);

  const pid = deputy.child?.pid ?? 0;
  if (canReadMemoryOf(pid)) {
    const climbed = given.map((accessKeyId) => ({ accessKeyId, secretAccessKey: secretOf(accessKeyId), dates }));
    const above = [...climbed.flatMap(secretsOf), { name: 'the custody key', bytes: custodyKey }];
    const own = climbed.flatMap(kDatesOf);
    const search = new KeySearch([...above, ...own]);
    const found = search.in(memoryOf(pid, search.overlap));
    t.same(
      above.filter(({ name }) => found.has(name)).map(({ name }) => name),
      [],
      'no secret, and no custody key',
    );
    t.same(
      own.filter(({ name }) => !found.has(name)).map(({ name }) => name),
      [],
      'the search finds what is held',
    );
  } else t.comment('THE MEMORY OF OTHER PROCESSES CANNOT BE READ HERE: it was not searched');

  master.start();
  await until(async () => {
    const rows = await runSql<{ id: string }>(
      database,
      'SELECT DISTINCT unnest(access_key_ids) AS id FROM issuance WHERE issuer = $1',
      [DEPUTY],
    );
    const taken = new Set(rows.map(({ id }) => id));
    return given.every((id) => taken.has(id));
  });
  t.pass('a master that is back has every record');
});
