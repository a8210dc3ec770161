import type { BenchOptions, BenchPart } from '../bench-part.js';
import { figureOf } from '../distribution.js';
import { EdgeStack } from '../edge-stack.js';
import type { Figure, Measured } from '../measured.js';
import { untilServed, type Served } from './until-served.js';

const ROUNDS = { whole: 5, quick: 1, tiny: 1 } as const;
const WAYS = ['bare server on Node.js', 'edge, nothing kept', 'edge, keys kept on disk'] as const;
type Way = (typeof WAYS)[number];

const KEPT = 'edge-that-keeps';

export const part: BenchPart = {
  about: 'from the start of a process to its first verified request, with and without keys kept on disk',
  goals: [],
  run: benchColdStart,
};

async function benchColdStart({ scale, portBase }: BenchOptions): Promise<Measured> {
  const stack = await EdgeStack.start(portBase);
  try {
    // It has a key to keep after this.
    await startOf(stack, 'edge, keys kept on disk', 0);
    const done = new Map<Way, Served[]>(WAYS.map((way) => [way, []]));
    for (let round = 1; round <= ROUNDS[scale]; round += 1) {
      for (const way of WAYS) done.get(way)?.push(await startOf(stack, way, round));
    }
    return told(done);
  } finally {
    await stack.close();
  }
}

/** One start, in a process of its own that ends afterwards. */
async function startOf(stack: EdgeStack, way: Way, round: number): Promise<Served> {
  const begun = performance.now();
  const { process, port } = await started(stack, way, round);
  const served = await untilServed(port, begun);
  await stack.stop(process);
  return served;
}

function started(stack: EdgeStack, way: Way, round: number): ReturnType<EdgeStack['edge']> {
  switch (way) {
    case 'bare server on Node.js':
      return stack.bareServer();
    case 'edge, nothing kept':
      return stack.edge(`edge-${round}`);
    case 'edge, keys kept on disk':
      return stack.edge(KEPT);
  }
}

function told(done: ReadonlyMap<Way, readonly Served[]>): Measured {
  const of = (way: Way, pick: (one: Served) => number): Figure => figureOf((done.get(way) ?? []).map(pick));
  const table = {
    title: 'Cold start, with the tier above up: ms since the process was started, median (and spread)',
    head: ['', 'first answer of any kind', 'first verified request'],
    rows: WAYS.map((way) => [way, of(way, ({ answeredMs }) => answeredMs), of(way, ({ servedMs }) => servedMs)]),
    notes: ['An edge that has nothing kept asks its region for the key; one that has verifies with what it finds.'],
  };
  const groups = WAYS.map((way) => {
    const { median: value } = of(way, ({ servedMs }) => servedMs);
    return { name: way, bars: [{ name: 'first verified request', value }] };
  });
  const title = 'From the start of a process to its first verified request';
  return { tables: [table], figures: {}, plots: [{ kind: 'bars', name: 'cold-start', title, unit: 'ms', groups }] };
}
