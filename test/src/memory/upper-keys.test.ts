import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CreatedSession } from '@sigv4-keyd/hop-protocol';
import { DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { KeySearch, type SoughtKey } from '../support/key-search.js';
import { newStateFolder } from '../support/state-folder.js';
import { until } from '../support/victim.js';
import { holdsAtMost, inMemoryOf, ownersIn, written } from './found-in-memory.js';
import { kDatesOf, kRegionsOf, kServicesOf, kSigningsOf, secretsOf, type Climbed } from './ladder.js';
import { canReadMemoryOf } from './process-memory.js';
import { REGION, SERVICE, startProcessTiers, type ProcessTiers } from './process-tiers.js';
import { createAccessKeys, messagesOf, type Created } from './requests.js';
import { filesIn, tablesOf } from './what-remains.js';

// Whole tiers as processes, one after the other.
t.setTimeout(150_000);

const ROUNDS = 15;

async function createCredentials(tiers: ProcessTiers): Promise<readonly Created[]> {
  const created = await createAccessKeys(tiers, ['ann', 'ben', 'cleo', 'dan']);
  const session = ['session', 'create', '--for', created[0]?.accessKeyId ?? '', '--duration', '1h'];
  return [...created, (await tiers.keydctl(...session)) as unknown as CreatedSession];
}

t.test('the memory of running processes holds no key of a tier above', async (t) => {
  const tiers = await startProcessTiers(t);
  const { region, startEdge, custodyKey } = tiers;
  if (!canReadMemoryOf(region.pid())) {
    t.comment('THE MEMORY OF OTHER PROCESSES CANNOT BE READ HERE: it was not searched');
    return;
  }
  const created = await createCredentials(tiers);
  const edge = await startEdge('e1');
  const verdicts: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    verdicts.push(...(await Promise.all(created.flatMap(messagesOf).map(edge.verdictOn))));
  }
  // On a busy machine the first of each key may have to wait for too long.
  const served = verdicts.filter((verdict) => verdict === 'served').length;
  t.ok(served > 0.9 * verdicts.length, `${served} of ${verdicts.length} requests were served`);

  const dates = [-1, 0, 1].map((days) => scopeDateOf(Date.now() + days * DAY_MS));
  const climbed = created.map(({ accessKeyId, secretAccessKey }) => ({ accessKeyId, secretAccessKey, dates }));
  const all = (rung: (of: Climbed) => readonly SoughtKey[]): readonly SoughtKey[] => climbed.flatMap(rung);
  const secrets: readonly SoughtKey[] = [...all(secretsOf), { name: 'the custody key', bytes: custodyKey }];
  const aboveRegion = [...secrets, ...all(kDatesOf), ...all((each) => kRegionsOf(each, 'eu-west-1'))];
  const ofRegion = all((each) => kRegionsOf(each, REGION));
  const aboveEdge = [...aboveRegion, ...ofRegion, ...all((each) => kServicesOf(each, REGION, 'execute-api'))];
  const ofEdge = all((each) => kSigningsOf(each, REGION, SERVICE));

  const inRegion = inMemoryOf(region, [...aboveRegion, ...ofRegion]);
  t.same(written(inRegion, aboveRegion), [], 'a region: no secret, kDate, or key of another region');
  const ids = created.map(({ accessKeyId }) => accessKeyId);
  t.same(ownersIn(written(inRegion, ofRegion), ids), ids, 'its own kRegion of each access key was found');
  const inEdge = inMemoryOf(edge, [...aboveEdge, ...ofEdge]);
  t.same(written(inEdge, aboveEdge), [], 'an edge: no secret, kDate, kRegion, or key of another service');
  t.same(ownersIn(written(inEdge, ofEdge), ids), ids, 'its own kSigning of each access key was found');

  const bound = await startEdge('e3', { purpose: 'aws4_request' });
  await Promise.all(created.flatMap(messagesOf).map(bound.verdictOn));
  const aboveBound = [...aboveEdge, ...all((each) => kServicesOf(each, REGION, SERVICE))];
  const inBound = inMemoryOf(bound, [...aboveBound, ...ofEdge]);
  t.same(written(inBound, aboveBound), [], 'one that is bound to a purpose: no kService of its own either');
  t.same(ownersIn(written(inBound, ofEdge), ids), ids, 'and its kSigning was found');

  const [leaked] = ofRegion;
  const file = join(newStateFolder(t), 'leaked');
  writeFileSync(file, leaked?.bytes ?? '');
  const leaking = await startEdge('e2', { planted: file });
  t.same(written(inMemoryOf(leaking, aboveEdge), aboveEdge), [`${leaked?.name}: binary`], 'a planted leak is found');

  // No tier's keys belong outside of memory; what is kept on disk is sealed.
  const names = ids.map((id) => ({ name: id, bytes: Buffer.from(id) }));
  const anyKey = [...aboveEdge, ...ofEdge, ...all((each) => kServicesOf(each, REGION, SERVICE))];
  const every = [tiers.master, region, edge];
  const answers = await Promise.all(every.map((tier) => tier.status()));
  const metrics = await Promise.all(every.map((tier) => tier.metrics()));
  t.ok(
    metrics.every((text) => text.includes('\nkeyd_')),
    'every tier has metrics',
  );
  const remains = {
    'the tables': await tablesOf(tiers.database),
    'files and logs': filesIn(tiers.folder),
    'what the upstream got': Buffer.from(tiers.upstream.wire, 'latin1'),
  };
  const toldInTheClear = {
    'status of all tiers': Buffer.from(JSON.stringify(answers)),
    'metrics of all tiers': Buffer.from(metrics.join('\n')),
  };
  for (const [where, bytes] of Object.entries(remains)) {
    const found = new KeySearch([...names, ...anyKey]).in([bytes]);
    t.same(written(found, anyKey), [], `${where}: no key`);
    t.equal(written(found, names).length, names.length, `${where} were searched`);
  }
  for (const [where, bytes] of Object.entries(toldInTheClear)) {
    const found = new KeySearch([...names, ...anyKey]).in([bytes]);
    t.same(written(found, [...names, ...anyKey]), [], `${where}: no key, and no access key id`);
  }

  // What was wiped where it was held may be left in the garbage of a process, but in nothing that outlives it.
  const [kept = '', ...deleted] = ids;
  for (const id of deleted) await tiers.keydctl('access-key', 'delete', id, '--yes');
  for (const [tier, own] of [
    [region, ofRegion],
    [edge, all((each) => kServicesOf(each, REGION, SERVICE))],
  ] as const) {
    await until(async () => holdsAtMost(1, await tier.status()));
    await tier.restart();
    const found = written(inMemoryOf(tier, own), own);
    t.same(ownersIn(found, ids), [kept], 'wiped, and started again');
  }
});
