import { DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import type { SoughtKey } from '../support/key-search.js';
import { until } from '../support/victim.js';
import { holdsAtMost, left, ownersIn } from './found-in-memory.js';
import { kRegionsOf, kServicesOf, kSigningsOf, type Climbed } from './ladder.js';
import { canReadMemoryOf } from './process-memory.js';
import { REGION, SERVICE, startProcessTiers, type TierProcess } from './process-tiers.js';
import { createAccessKeys, messagesOf } from './requests.js';

// Whole tiers as processes.
t.setTimeout(150_000);

const ROUNDS = 5;

t.test('of keys that were deleted, revoked, or are over, nothing is left in a running region or edge', async (t) => {
  const tiers = await startProcessTiers(t, { obeysSignals: true });
  const { region, keydctl } = tiers;
  if (!canReadMemoryOf(region.pid())) {
    t.comment('THE MEMORY OF OTHER PROCESSES CANNOT BE READ HERE: it was not searched');
    return;
  }
  const created = await createAccessKeys(tiers, ['ann', 'ben', 'cleo', 'dan', 'eve', 'fay']);
  const edge = await tiers.startEdge('e1');
  const bound = await tiers.startEdge('e2', { purpose: 'aws4_request' });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const each of [edge, bound]) await Promise.all(created.flatMap(messagesOf).map(each.verdictOn));
  }
  const dates = [-1, 0, 1].map((days) => scopeDateOf(Date.now() + days * DAY_MS));
  const ids = created.map(({ accessKeyId }) => accessKeyId);
  const all = (rung: (of: Climbed) => readonly SoughtKey[]): readonly SoughtKey[] =>
    created.flatMap(({ accessKeyId, secretAccessKey }) => rung({ accessKeyId, secretAccessKey, dates }));
  const ofRegion = all((each) => kRegionsOf(each, REGION));
  const ofService = all((each) => kServicesOf(each, REGION, SERVICE));
  const ofSigning = all((each) => kSigningsOf(each, REGION, SERVICE));
  const held: readonly (readonly [string, TierProcess, readonly SoughtKey[]])[] = [
    ['region', region, [...ofRegion, ...ofService, ...ofSigning]],
    ['edge', edge, [...ofService, ...ofSigning]],
    ['bound edge', bound, ofSigning],
  ];
  for (const [name, tier, own] of held) {
    t.same(ownersIn(await left(tier, own, ids), ids), ids, `${name}: the search finds what is held`);
  }

  const [kept = '', revoked = '', ...deleted] = ids;
  const [keptKey] = created;
  for (const id of deleted) await keydctl('access-key', 'delete', id, '--yes');
  const day = new Date().toISOString().slice(0, 10);
  await keydctl('revoke', '--access-key', revoked, '--from', day, '--incident', 'inc-1', '--reason', 'test', '--yes');
  for (const [name, tier, own] of held) {
    await until(async () => holdsAtMost(1, await tier.status()));
    if (keptKey && 'verdictOn' in tier) await Promise.all(messagesOf(keptKey).map((tier as typeof edge).verdictOn));
    const found = await left(tier, own, [kept]);
    t.same(
      found.filter((text) => !text.includes(kept)),
      [],
      `${name}: nothing of what was deleted or revoked`,
    );
    t.same(ownersIn(found, ids), [kept], `${name}: the one that was kept is there`);
  }

  for (const [name, tier, own] of held) {
    process.kill(tier.pid(), 'SIGWINCH');
    await until(async () => holdsAtMost(0, await tier.status()));
    t.same(await left(tier, own, []), [], `${name}: when the window has passed, nothing at all`);
  }
});
