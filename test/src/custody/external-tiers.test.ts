import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  createSignerKey,
  mtlsKeySource,
  PeerClient,
  REGION_KEYS,
  type CreatedAccessKey,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import { DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { signed } from '../edge-verifier/client.js';
import { kDatesOf, secretsOf } from '../memory/ladder.js';
import { canReadMemoryOf, memoryOf } from '../memory/process-memory.js';
import { REGION, SERVICE, startProcessTiers, type ProcessTiers, type TierProcess } from '../memory/process-tiers.js';
import { filesIn, tablesOf } from '../memory/what-remains.js';
import type { TestAuthority } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { KeySearch, type SoughtKey } from '../support/key-search.js';
import { until } from '../support/victim.js';
import { externalSettings, signerEnvironment } from './signer-under-test.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

// Whole tiers as processes.
t.setTimeout(150_000);

const ROUNDS = 40;
/** Requests under way when the signer is killed. */
const AT_A_TIME = 8;

interface TiersWithSigner {
  readonly tiers: ProcessTiers;
  readonly signer: TierProcess;
  readonly signerUrl: URL;
  readonly authority: TestAuthority;
}

async function startWithSigner(t: Test): Promise<TiersWithSigner> {
  const key = createSignerKey();
  const port = await freePort();
  const signerUrl = new URL(`https://127.0.0.1:${port}`);
  const started: Pick<TiersWithSigner, 'signer' | 'authority'>[] = [];
  const tiers = await startProcessTiers(t, {
    async beside({ authority, stateFolder, startTier }) {
      const env = await signerEnvironment(authority, { key, stateFolder, port });
      started.push({ signer: await startTier('custody-signer', env), authority });
      return externalSettings([signerUrl], key);
    },
  });
  const [beside] = started;
  if (!beside) throw new Error('the signer is started before the master');
  return { tiers, signerUrl, ...beside };
}

/** Another region than the one that runs: what it asks for, the master derives each time. */
async function regionOf(t: Test, { tiers, authority }: TiersWithSigner): Promise<RegionKeySource> {
  const credentials = await authority.credentials({ role: 'region', region: 'eu-west-1', name: 'r1' });
  const dispatcher = createMtlsAgent({
    credentials,
    timer: STANDING_TIMER,
    acceptsServer: ({ segments }) => segments[0] === 'master',
  });
  t.teardown(() => dispatcher.close());
  const client = new PeerClient({ urls: [tiers.masterUrl], dispatcher, timer: STANDING_TIMER });
  return mtlsKeySource(REGION_KEYS, { region: 'eu-west-1' }, client);
}

function foundIn({ pid }: TierProcess, sought: readonly SoughtKey[]): readonly string[] {
  const search = new KeySearch(sought);
  return [...search.in(memoryOf(pid(), search.overlap)).keys()];
}

t.test('whole tiers, with a signer as a process beside the master', async (t) => {
  const started = await startWithSigner(t);
  // The day of the whole test, should midnight come in between.
  const today = scopeDateOf(Date.now());
  const { tiers, signer, signerUrl } = started;
  const create = async (owner: string): Promise<CreatedAccessKey> =>
    (await tiers.keydctl('access-key', 'create', '--owner', owner)) as unknown as CreatedAccessKey;
  const first = await create('ann');
  const created = [first, await create('ben'), await create('cleo')];
  const edge = await tiers.startEdge('e1');
  const verdictOn = ({ accessKeyId, secretAccessKey: secret }: CreatedAccessKey) =>
    edge.verdictOn(signed({ accessKeyId, secret, region: REGION, service: SERVICE, now: Date.now() }));
  for (const each of created) await until(async () => (await verdictOn(each)) === 'served');

  await t.test('kill -9 of the signer: held keys are good, others wait for it, and nothing is lost', async (t) => {
    await signer.kill();
    const late = await create('dan');
    created.push(late);
    t.equal(await verdictOn(first), 'served', 'held');
    t.equal(await verdictOn(late), 'keys-unavailable', 'not held; made all the same');
    await until(async () => JSON.stringify(await tiers.master.status()).includes('no signer answers'));
    t.match(await tiers.master.status(), { ready: true });
    await signer.start();
    await until(async () => (await verdictOn(late)) === 'served');
  });

  const dates = [-1, 0, 1].map((days) => scopeDateOf(Date.now() + days * DAY_MS));
  const climbed = created.map(({ accessKeyId, secretAccessKey }) => ({ accessKeyId, secretAccessKey, dates }));
  const secrets = climbed.flatMap(secretsOf);
  const ids = created.map(({ accessKeyId }) => ({ name: accessKeyId, bytes: Buffer.from(accessKeyId) }));

  await t.test('kill -9 of the signer in the midst of calls', async (t) => {
    const region = await regionOf(t, started);
    const accessKeyIds = created.map(({ accessKeyId }) => accessKeyId);
    let isOver = false;
    const failures: unknown[] = [];
    let issuances = 0;
    const ask = async (): Promise<void> => {
      while (!isOver) {
        await region.issue({ date: today, accessKeyIds }).then(
          () => (issuances += 1),
          (error: unknown) => failures.push(error),
        );
      }
    };
    const asking = Promise.all(Array.from({ length: AT_A_TIME }, ask));
    await until(() => issuances >= 2 * AT_A_TIME);
    await signer.kill();
    await until(() => failures.length > 0);
    await signer.start();
    const before = issuances;
    await until(() => issuances > before + AT_A_TIME);
    isOver = true;
    await asking;
    t.match(failures[0], { code: 'custody-unavailable' });
  });

  await t.test('a master that has not made them holds no secret, whatever it issues', async (t) => {
    await tiers.master.restart();
    const region = await regionOf(t, started);
    const accessKeyIds = created.map(({ accessKeyId }) => accessKeyId);
    for (let round = 0; round < ROUNDS; round += 1) {
      const { issued } = await region.issue({ date: today, accessKeyIds });
      if (issued.size !== accessKeyIds.length) t.fail(`round ${round}: ${issued.size} issued`);
    }
    if (!canReadMemoryOf(tiers.master.pid())) {
      t.comment('THE MEMORY OF OTHER PROCESSES CANNOT BE READ HERE: it was not searched');
      return;
    }
    const found = foundIn(tiers.master, [...secrets, ...ids]);
    t.same(found.toSorted(), ids.map(({ name }) => name).toSorted(), 'the ids were found, and no secret');
  });

  await t.test('no secret and no kDate is in a table, a log, or the counts of the signer', async (t) => {
    const sought = [...secrets, ...climbed.flatMap(kDatesOf)];
    const remains = { 'the tables': await tablesOf(tiers.database), 'files and logs': filesIn(tiers.folder) };
    for (const [where, bytes] of Object.entries(remains)) {
      const found = new KeySearch([...sought, ...ids]).in([bytes]);
      t.same([...found.keys()].toSorted(), ids.map(({ name }) => name).toSorted(), where);
    }
  });

  await t.test('nothing was issued that the signer did not count, whenever it was killed', async (t) => {
    const counts = await tiers.keydctl('custody', 'counts', '--signers', signerUrl.origin);
    const { strange, dates: rows } = counts as unknown as {
      readonly strange: readonly unknown[];
      readonly dates: readonly { readonly date: string; readonly given: number; readonly issued: number }[];
    };
    t.same(strange, []);
    const row = rows.find(({ date }) => date === today);
    t.ok((row?.given ?? 0) >= ROUNDS * created.length, `${row?.given} were given`);
    const gap = (row?.given ?? 0) - (row?.issued ?? 0);
    t.ok(gap >= 0 && gap <= AT_A_TIME * created.length, `${gap} given and not issued: what was under way at most`);
  });
});
