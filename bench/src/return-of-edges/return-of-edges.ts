import type { EdgeIdentity } from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { CountedTiers, REGION } from './counted-tiers.js';
import { SecondCounts } from './counts.js';
import { seededRandom } from './seeded-random.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedEdge } from './simulated-edge.js';

export interface Outage {
  readonly edges: number;
  /** What does not answer until the outage is over. */
  readonly down: 'region' | 'master';
  readonly outageSeconds: number;
  /** How long is watched afterwards. */
  readonly afterSeconds: number;
  /** Access keys of the region, and how many of them the clients of one edge use. */
  readonly accessKeys: number;
  readonly accessKeysOfAnEdge: number;
  /** Requests of the clients of one edge, a second. */
  readonly requestsPerSecond: number;
  readonly seed: number;
}

export interface Return {
  readonly tiers: CountedTiers;
  /** Requests of clients, by the second that they came in. */
  readonly served: SecondCounts;
  readonly refused: SecondCounts;
  readonly seconds: number;
}

const START = Date.parse('2026-11-22T10:00:00Z');
/** Machines that get their power back together are up within so long. */
const ALL_UP_WITHIN_MS = 5_000;

/** Every edge of a region comes up with nothing held while the tier above is out of reach; then that comes back. */
export async function returnOfEdges(outage: Outage): Promise<Return> {
  const { down, outageSeconds, afterSeconds, seed } = outage;
  const clock = new SimulatedClock(START);
  const random = seededRandom(seed);
  const seconds = outageSeconds + afterSeconds;
  const tiers = new CountedTiers({ clock, random, seconds: seconds + 1 });
  tiers.isRegionDown = down === 'region';
  tiers.isMasterDown = down === 'master';
  const served = new SecondCounts(START, seconds + 1);
  const refused = new SecondCounts(START, seconds + 1);
  const edges = Array.from({ length: outage.edges }, (_, number) => {
    const edge = newEdge(number, tiers, { clock, random });
    clock.after(random() * ALL_UP_WITHIN_MS, () => {
      edge.start();
      keepAsking(edge);
    });
    return edge;
  });
  await clock.moveTo(START + outageSeconds * 1000);
  tiers.isRegionDown = false;
  tiers.isMasterDown = false;
  await clock.moveTo(START + seconds * 1000);
  await Promise.all(edges.map((edge) => edge.stop()));
  return { tiers, served, refused, seconds };

  /** Clients come by chance, each moment as likely as any other. */
  function keepAsking(edge: SimulatedEdge): void {
    const first = Math.floor(random() * outage.accessKeys);
    const ask = (): void => {
      const at = clock.now();
      const nth = first + Math.floor(random() * outage.accessKeysOfAnEdge);
      void edge.serves(scopeDateOf(at), `AKIA${nth % outage.accessKeys}`).then((isServed) => {
        (isServed ? served : refused).add(at);
      });
      next();
    };
    const next = (): void => void clock.after((-Math.log(1 - random()) * 1000) / outage.requestsPerSecond, ask);
    next();
  }
}

function newEdge(
  number: number,
  tiers: CountedTiers,
  { clock, random }: { readonly clock: SimulatedClock; readonly random: () => number },
): SimulatedEdge {
  const own: EdgeIdentity = {
    role: 'edge',
    trustDomain: 'keyd.bench',
    region: REGION,
    service: 's3',
    name: `e${number}`,
  };
  const region = tiers.regionFor(own);
  const feed = {
    name: 'region',
    waits: true,
    fetch: (_held: unknown, waitSeconds: number) => tiers.askForFeed(waitSeconds),
  };
  return new SimulatedEdge({ region, feed, clock, random });
}
