import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { mtlsKeySource, PeerClient, REGION_KEYS, type RegionKeySource } from '@sigv4-keyd/hop-protocol';
import { DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import type { TestAuthority } from '../support/certificates.js';
import { childrenOf, isThere } from '../support/child-processes.js';
import type { FoundKeys, SoughtKey } from '../support/key-search.js';
import { SoftHsm, softHsmMissing } from '../support/soft-hsm.js';
import { newStateFolder } from '../support/state-folder.js';
import { until } from '../support/victim.js';
import { inMemoryOf, written } from './found-in-memory.js';
import { secretsOf } from './ladder.js';
import { canReadMemoryOf } from './process-memory.js';
import { keeping, startProcessTiers } from './process-tiers.js';
import { createAccessKeys, messagesOf } from './requests.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

// Whole tiers as processes, one after the other.
t.setTimeout(150_000);

const skip = await softHsmMissing();
/** How often the memory is searched while keys are issued, and how many requests are under way meanwhile. */
const [SEARCHES, REQUESTS] = [3, 20];
/** How often it is searched for what came in before, which was gone after five whenever it was tried. */
const ROUNDS = 20;

/** What another region may ask of the master itself. */
async function otherRegion(t: Test, masterUrl: URL, authority: TestAuthority): Promise<RegionKeySource> {
  const credentials = await authority.credentials({ role: 'region', region: 'eu-west-1', name: 'r1' });
  const agent = createMtlsAgent({
    credentials,
    timer: STANDING_TIMER,
    acceptsServer: ({ segments }) => segments[0] === 'master',
  });
  t.teardown(() => agent.close());
  return mtlsKeySource(
    REGION_KEYS,
    { region: 'eu-west-1' },
    new PeerClient({ urls: [masterUrl], dispatcher: agent, timer: STANDING_TIMER }),
  );
}

async function isGoneWithin(rounds: number, isGone: () => Promise<boolean>): Promise<boolean> {
  for (let round = 0; round < rounds; round += 1) if (await isGone()) return true;
  return false;
}

t.test('the memory of a master over a token holds no secret, while it issues keys', { skip }, async (t) => {
  const hsm = SoftHsm.create(t);
  await hsm.makeKeys('one');
  const planted = join(newStateFolder(t), 'planted');
  writeFileSync(planted, '');
  let authority: TestAuthority | undefined;
  const tiers = await startProcessTiers(t, {
    beside(given) {
      authority = given.authority;
      const conf = join(hsm.folder, 'softhsm2.conf');
      return Promise.resolve({
        KEYD_CUSTODY_KEY: '',
        ...hsm.settings('one'),
        SOFTHSM2_CONF: conf,
        ...keeping(planted),
      });
    },
  });
  const { master, startEdge } = tiers;
  if (!canReadMemoryOf(master.pid())) {
    t.comment('THE MEMORY OF OTHER PROCESSES CANNOT BE READ HERE: it was not searched');
    return;
  }
  const created = await createAccessKeys(tiers, ['ann', 'ben', 'cleo']);
  const edge = await startEdge('e1');
  for (const accessKey of created) {
    const [request] = messagesOf(accessKey);
    if (request) t.equal(await edge.verdictOn(request), 'served', 'from the token to the edge');
  }

  const date = scopeDateOf(Date.now());
  const dates = [-1, 0, 1].map((days) => scopeDateOf(Date.now() + days * DAY_MS));
  const climbed = created.map(({ accessKeyId, secretAccessKey }) => ({ accessKeyId, secretAccessKey, dates }));
  const secrets = climbed.flatMap(secretsOf);
  const ids = created.map(({ accessKeyId }): SoughtKey => ({ name: accessKeyId, bytes: Buffer.from(accessKeyId) }));
  if (!authority) throw new Error('the tiers were started with an authority');
  const region = await otherRegion(t, tiers.masterUrl, authority);
  const accessKeyIds = created.map(({ accessKeyId }) => accessKeyId);
  const searchUnderLoad = async (): Promise<FoundKeys> => {
    const load = Array.from({ length: REQUESTS }, () => region.issue({ date, accessKeyIds }));
    await load[0];
    const found = inMemoryOf(master, [...secrets, ...ids]);
    const answers = await Promise.all(load);
    t.ok(answers.every(({ issued }) => issued.size === created.length));
    t.equal(written(found, ids).length, ids.length, 'the memory was searched: the ids of the access keys are there');
    return found;
  };
  // A secret comes or goes by HTTPS once, and what that leaves in the garbage is overwritten by what comes after it.
  if (!(await isGoneWithin(ROUNDS, async () => written(await searchUnderLoad(), secrets).length === 0))) {
    t.comment('WHAT CAME IN IS STILL IN THE GARBAGE: the master was started anew before the search');
    await master.restart();
  }
  for (let search = 0; search < SEARCHES; search += 1) {
    t.same(written(await searchUnderLoad(), secrets), [], 'no secret');
  }

  const [leaked] = secrets;
  writeFileSync(planted, leaked?.bytes ?? '');
  await master.restart();
  t.same(written(inMemoryOf(master, secrets), secrets), [`${leaked?.name}: binary`], 'a planted leak is found');

  const sessions = childrenOf(master.pid());
  t.ok(sessions.length > 0);
  for (const session of sessions) {
    const given = ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${session}/${name}`, 'utf8')).join('');
    t.match(given, /SOFTHSM2_CONF/, 'what the module needs');
    t.notMatch(given, /KEYD_/, 'and no setting of ours');
    t.notOk(given.includes(hsm.pin), 'nor the PIN');
  }
  process.kill(master.pid(), 'SIGKILL');
  await until(() => !sessions.some(isThere));
  t.pass('the processes of a master that was killed end by themselves');
});
