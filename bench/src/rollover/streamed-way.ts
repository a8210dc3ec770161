import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { ProbedProcess } from './probed-process.js';
import type { RolloverStack } from './rollover-stack.js';
import { costOf, effortOf, secondsOf, secondsUntilHeld, type Rollover, type WayMeasured } from './way.js';

/** The services as they are, with KEYD_PREFETCH=all. */
export async function streamedWay(
  stack: RolloverStack,
  { master, url }: { readonly master: ProbedProcess; readonly url: string },
  { keys, edges }: Rollover,
): Promise<WayMeasured> {
  const idle = await stack.region('idle-region', url, 'used');
  await idle.region.ready();
  const idleEdge = await stack.edge('idle-edge', idle.url, 'used');
  await idleEdge.ready();
  const [emptyRegion, emptyEdge] = [await idle.region.measure(), await idleEdge.measure()];
  await stack.stop(idleEdge, idle.region);
  await master.measure();

  // Both hops at once, as they are in a deployment.
  const date = scopeDateOf(Date.now());
  const running: ProbedProcess[] = [];
  const untilLastEdge = await secondsOf(async () => {
    const { region, url: below } = await stack.region('region', url, 'all');
    running.push(region);
    for (let n = 0; n < edges; n += 1) running.push(await stack.edge(`edge-${n}`, below, 'all'));
    await Promise.all(running.map((tier) => secondsUntilHeld(tier, keys, date)));
  });
  const [region, edge] = running;
  if (!region || !edge) throw new Error('at least one edge is needed');
  const costs = {
    master: effortOf(await master.measure(), keys),
    region: await costOf(region, emptyRegion, keys),
    edge: await costOf(edge, emptyEdge, keys),
  };
  await stack.stop(...running);

  // Each hop by itself.
  const lone = await stack.region('lone-region', url, 'all');
  const masterToRegion = await secondsUntilHeld(lone.region, keys, date);
  const late = await stack.edge('late-edge', lone.url, 'all');
  const regionToEdge = await secondsUntilHeld(late, keys, date);
  await stack.stop(late, lone.region);
  return { masterToRegion, regionToEdge, untilLastEdge, ...costs };
}
