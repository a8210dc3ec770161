import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { shippedMigrations } from '@sigv4-keyd/master-keyd';
import { join } from 'node:path';
import t from 'tap';
import { newStateFolder } from '../support/state-folder.js';
import { lifeOfAnAccessKey } from './all-that-tiers-do.js';
import { HonestClient } from './honest-client.js';
import { mixedTiers, type Master } from './mixed-tiers.js';
import { releaseMissing, releasePrograms, TODAYS } from './release-programs.js';
import { recordedReleases } from './releases.js';

t.setTimeout(300_000);

/** How many keys a tier found on disk, by its log. */
function keysTakenUp(log: readonly string[]): number {
  const lines = log
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly event?: string; readonly taken?: number });
  return lines.reduce((sum, { event, taken = 0 }) => sum + (event === 'key-cache-restored' ? taken : 0), 0);
}

/** docs/upgrade.md as it stands: one machine at a time, masters first; then the way back. */
t.test(
  'an upgrade and the way back, while an honest client asks',
  { skip: releaseMissing(), timeout: 300_000 },
  async (t) => {
    const older = await releasePrograms(t);
    const tiers = await mixedTiers(t, older);
    const { masters, region, edges, keydctl } = tiers;
    const everythingWorks = (master: Master, name: string) => lifeOfAnAccessKey(t, { tiers, master, edges, name });

    // Compares with what it saved before.
    const kept = ['--ledger-key', tiers.ledgerKeyFile, '--save', join(newStateFolder(t), 'checkpoint')];
    const ledgerOf = async (master: Master): Promise<number> =>
      Number((await keydctl(master, 'ledger', 'verify', ...kept))['size']);

    const [first, second] = masters;
    await first.tier.start(older);
    await region.start(older);
    for (const edge of edges) await edge.tier.start(older);
    const accessKey = (await keydctl(
      first,
      'access-key',
      'create',
      '--owner',
      'honest',
    )) as unknown as CreatedAccessKey;
    const client = new HonestClient(edges, accessKey);
    t.teardown(() => client.stop());
    await client.more();
    const before = await ledgerOf(first);

    await second.tier.start(TODAYS);
    await everythingWorks(first, 'beside a new master, over its schema, the old one');
    await first.tier.stop();
    const [edge, other] = edges;
    for (const tier of [region, edge.tier]) await tier.untilKept();
    t.ok(keysTakenUp(await region.replaceWith(TODAYS)) > 0, 'the new region takes up keys that the old one held');
    await client.more();
    t.ok(keysTakenUp(await edge.tier.replaceWith(TODAYS)) > 0, 'so does the new edge');
    await client.more();
    await other.tier.replaceWith(TODAYS);
    await client.more();
    await everythingWorks(second, 'all new');

    for (const edge of edges) await edge.tier.replaceWith(older);
    await client.more();
    await region.replaceWith(older);
    await client.more();
    const { migrations } = recordedReleases().find(({ release }) => release === older.release) ?? { migrations: [] };
    let last = first;
    if ((await shippedMigrations()).length === migrations.length) {
      await first.tier.start(older);
      await second.tier.stop();
      await everythingWorks(first, 'all as it was');
    } else {
      await t.rejects(first.tier.start(older), /newer than this program's/, 'the old master refuses the newer schema');
      last = second;
    }
    await client.stop();
    t.strictSame(client.refusals, [], 'no honest request was refused on the way');
    t.ok((await ledgerOf(last)) > before, 'the ledger goes on from where it was before');
  },
);
