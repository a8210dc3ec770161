import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REGION_KEYS, REGION_PUBLIC_KEYS } from '@sigv4-keyd/hop-protocol';
import { DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import type { SoughtKey } from '../support/key-search.js';
import { newStateFolder } from '../support/state-folder.js';
import { inMemoryOf, left, ownersIn, written } from './found-in-memory.js';
import { kDatesOf, kRegionsOf, secretsOf, type Climbed } from './ladder.js';
import { canReadMemoryOf } from './process-memory.js';
import { REGION, startProcessTiers } from './process-tiers.js';
import { createAccessKeys } from './requests.js';

// Whole tiers as processes.
t.setTimeout(150_000);

const ROUNDS = 20;

t.test('of a derivation that is over, a master with the file keeper holds nothing but the custody key', async (t) => {
  const tiers = await startProcessTiers(t, { obeysSignals: true });
  const { master, custodyKey, keydctl } = tiers;
  if (!canReadMemoryOf(master.pid())) {
    t.comment('THE MEMORY OF OTHER PROCESSES CANNOT BE READ HERE: it was not searched');
    return;
  }
  const created = await createAccessKeys(tiers, ['ann', 'ben', 'cleo']);
  const ids = created.map(({ accessKeyId }) => accessKeyId);
  const dates = [-3, -1, 0, 1].map((days) => scopeDateOf(Date.now() + days * DAY_MS));
  const all = (rung: (of: Climbed) => readonly SoughtKey[]): readonly SoughtKey[] =>
    created.flatMap(({ accessKeyId, secretAccessKey }) => rung({ accessKeyId, secretAccessKey, dates }));
  const secrets = all(secretsOf);
  const sought = [...secrets, ...all(kDatesOf), ...all((each) => kRegionsOf(each, REGION))];
  // A secret that was just made is text in the answer to who made it; see docs/threat-model.md.
  t.same(ownersIn(written(inMemoryOf(master, secrets), secrets), ids), ids, 'the search finds what is there');

  await master.restart();
  const asked = { date: scopeDateOf(Date.now()), accessKeyIds: ids };
  const [regionKeys, publicKeys] = [tiers.asRegion(REGION_KEYS), tiers.asRegion(REGION_PUBLIC_KEYS)];
  for (let round = 0; round < ROUNDS; round += 1) {
    t.equal((await regionKeys.issue(asked)).issued.size, ids.length);
    t.equal((await publicKeys.issue(asked)).issued.size, ids.length);
  }
  t.same(await left(master, sought), [], 'no secret, private scalar, kDate or kRegion');
  const held = [{ name: 'the custody key', bytes: custodyKey }];
  t.equal(written(inMemoryOf(master, held), held).length, 1, 'the custody key, which opens all of them, is there');

  const [deleted = ''] = ids;
  await keydctl('access-key', 'delete', deleted, '--yes');
  t.equal((await regionKeys.issue(asked)).absent.size, 1);
  t.same(await left(master, sought), [], 'nor of one that was deleted');

  const [leaked] = secrets;
  const file = join(newStateFolder(t), 'leaked');
  writeFileSync(file, leaked?.bytes ?? '');
  const leaking = await tiers.startLeakingMaster(file);
  t.same(written(inMemoryOf(leaking, secrets), secrets), [`${leaked?.name}: binary`], 'a planted leak is found');
});
