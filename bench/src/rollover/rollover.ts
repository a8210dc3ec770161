import { machine } from '../machine.js';
import { printTable } from '../table.js';
import { naiveWay } from './naive-way.js';
import { RolloverStack } from './rollover-stack.js';
import { streamedWay } from './streamed-way.js';
import type { Rollover, WayMeasured } from './way.js';

export interface RolloverOptions extends Rollover {
  readonly portBase: number;
  /** One JSON document in place of the table. */
  readonly asJson: boolean;
}

/** The keys of a day for every access key, from PostgreSQL to the edges: as streams, and as one JSON document a hop. */
export async function benchRollover({ portBase, asJson, ...rollover }: RolloverOptions): Promise<void> {
  const stack = await RolloverStack.create(rollover.keys, portBase);
  try {
    const above = await stack.master();
    const streamed = await streamedWay(stack, above, rollover);
    await stack.stop(above.master);
    const naive = await naiveWay(stack, rollover);
    if (asJson) process.stdout.write(`${JSON.stringify({ machine: machine(), ...rollover, streamed, naive })}\n`);
    else print(rollover, { streamed, naive });
  } finally {
    await stack.close();
  }
}

function print({ keys, edges }: Rollover, ways: { readonly streamed: WayMeasured; readonly naive: WayMeasured }): void {
  const aSecond = (seconds: number): string => Math.round(keys / seconds).toLocaleString('en');
  const lines: readonly (readonly [string, (way: WayMeasured) => string])[] = [
    ['keys a second, master to region', (way) => aSecond(way.masterToRegion)],
    ['keys a second, region to an edge', (way) => aSecond(way.regionToEdge)],
    ['until the last edge holds all, s', (way) => way.untilLastEdge.toFixed(1)],
    ['memory a key at the region, bytes', (way) => way.region.bytesAKey.toFixed(0)],
    ['memory a key at an edge, bytes', (way) => way.edge.bytesAKey.toFixed(0)],
    ['processor time a key at the master, µs', (way) => way.master.processorMicrosecondsAKey.toFixed(0)],
    [`… at the region, for ${edges} edges, µs`, (way) => way.region.processorMicrosecondsAKey.toFixed(0)],
    ['… at an edge, µs', (way) => way.edge.processorMicrosecondsAKey.toFixed(0)],
    ['longest stall of the master, ms', (way) => way.master.longestStallMs.toFixed(0)],
    ['longest stall of the region, ms', (way) => way.region.longestStallMs.toFixed(0)],
    ['longest stall of an edge, ms', (way) => way.edge.longestStallMs.toFixed(0)],
    ['most memory of the master, MiB', (way) => mib(way.master.peakBytes)],
    ['most memory of the region, MiB', (way) => mib(way.region.peakBytes)],
    ['most memory of an edge, MiB', (way) => mib(way.edge.peakBytes)],
  ];
  printTable(
    `Rollover: a day of ${keys.toLocaleString('en')} access keys, over real mTLS and PostgreSQL, ${edges} edges`,
    ['', 'streamed, recorded, flat', 'one JSON document, a Map of objects'],
    lines.map(([name, of]) => [name, of(ways.streamed), of(ways.naive)]),
  );
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(0);
}
