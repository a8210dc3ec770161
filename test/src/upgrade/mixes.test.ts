import t from 'tap';
import { lifeOfAnAccessKey, untilReported, type UsedAccessKey } from './all-that-tiers-do.js';
import { mixedTiers } from './mixed-tiers.js';
import { releaseMissing, releasePrograms, TODAYS } from './release-programs.js';

t.setTimeout(300_000);

/**
 * Real programs of the release before beside those of today, in every mix:
 *
 *     master   old  old  old  new  new  new
 *     region   new  new  old  new  old  old
 *     edge     old  new  new  old  old  new
 *
 * What an edge has accepted waits in its state folder when it is stopped; the other program, which takes its place,
 * hands it on.
 */
t.test(
  'tiers of two releases work together, whichever is the newer',
  { skip: releaseMissing(), timeout: 300_000 },
  async (t) => {
    const older = await releasePrograms(t);
    const tiers = await mixedTiers(t, older);
    const [oldMaster, newMaster] = tiers.masters;
    const { region } = tiers;
    const [edge] = tiers.edges;
    let master = oldMaster;
    const used: UsedAccessKey[] = [];
    const mix = (name: string) => ({ tiers, master, edges: [edge], name });
    const everythingWorks = async (name: string): Promise<void> => {
      used.push(await lifeOfAnAccessKey(t, mix(name)));
    };
    const allReported = async (name: string): Promise<void> => {
      for (const one of used.splice(0)) await untilReported(t, mix(name), one);
    };

    await oldMaster.tier.start(older);
    await region.start(TODAYS);
    await edge.tier.start(older);
    await everythingWorks('new region');
    await edge.tier.replaceWith(TODAYS);
    await allReported('new region and edge');
    await everythingWorks('new region and edge');
    await region.replaceWith(older);
    await everythingWorks('new edge');

    await newMaster.tier.start(TODAYS);
    await oldMaster.tier.stop();
    master = newMaster;
    await region.replaceWith(TODAYS);
    await edge.tier.replaceWith(older);
    await allReported('new master and region');
    await everythingWorks('new master and region');
    await region.replaceWith(older);
    await everythingWorks('new master');
    await edge.tier.replaceWith(TODAYS);
    await allReported('new master and edge');
    await everythingWorks('new master and edge');
  },
);
