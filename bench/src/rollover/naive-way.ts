import { fileURLToPath } from 'node:url';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { ProbedProcess } from './probed-process.js';
import { REGION, SERVICE, type RolloverStack } from './rollover-stack.js';
import { costOf, effortOf, secondsOf, secondsUntilHeld, type Rollover, type WayMeasured } from './way.js';

const PROGRAM = fileURLToPath(new URL('naive-tier.js', import.meta.url));

/** The same keys as one JSON document a hop, parsed into a Map of objects. */
export async function naiveWay(stack: RolloverStack, { keys, edges }: Rollover): Promise<WayMeasured> {
  const date = scopeDateOf(Date.now());
  const tier = async (
    role: 'master' | 'region' | 'edge',
    name: string,
    parent?: string,
  ): Promise<{ readonly tier: ProbedProcess; readonly url: string }> => {
    const [port, health] = [stack.port(), stack.port()];
    const path = {
      master: `master/${name}`,
      region: `region/${REGION}/${name}`,
      edge: `edge/${REGION}/${SERVICE}/${name}`,
    };
    const started = await stack.start(name, PROGRAM, health, {
      ...(await stack.identity(path[role])),
      BENCH_ROLE: role,
      ...(parent !== undefined && { BENCH_PARENT: parent }),
      BENCH_REGION: REGION,
      BENCH_SERVICE: SERVICE,
      BENCH_PORT: String(port),
      BENCH_HEALTH_PORT: String(health),
      BENCH_DATABASE: stack.database,
      BENCH_CUSTODY_KEY: stack.custodyKey.toString('base64'),
    });
    return { tier: started, url: `https://127.0.0.1:${port}` };
  };
  const master = await tier('master', 'naive-master');
  await master.tier.answers();
  const empty = await master.tier.measure();

  let masterToRegion = 0;
  const running: ProbedProcess[] = [];
  let regionUrl = '';
  const untilLastEdge = await secondsOf(async () => {
    const region = await tier('region', 'naive-region', master.url);
    regionUrl = region.url;
    running.push(region.tier);
    masterToRegion = await secondsUntilHeld(region.tier, keys, date);
    for (let n = 0; n < edges; n += 1) running.push((await tier('edge', `naive-edge-${n}`, regionUrl)).tier);
    await Promise.all(running.slice(1).map((one) => secondsUntilHeld(one, keys, date)));
  });
  const [region, edge] = running;
  if (!region || !edge) throw new Error('at least one edge is needed');
  const costs = {
    master: effortOf(await master.tier.measure(), keys),
    region: await costOf(region, empty, keys),
    edge: await costOf(edge, empty, keys),
  };
  const late = await tier('edge', 'naive-late-edge', regionUrl);
  const regionToEdge = await secondsUntilHeld(late.tier, keys, date);
  await stack.stop(late.tier, ...running, master.tier);
  return { masterToRegion, regionToEdge, untilLastEdge, ...costs };
}
