import { availableParallelism } from 'node:os';
import type { BenchOptions, BenchPart } from '../bench-part.js';
import { figureOf } from '../distribution.js';
import { atLeast, atMost, type GoalFigure } from '../goals.js';
import { MeasuredStack, type TurnLength } from '../http/measured-stack.js';
import type { Figure, Measured } from '../measured.js';
import { turnOf, type CoresTurn } from './turn.js';

const ROUNDS = { whole: 3, quick: 1, tiny: 1 } as const;
const TURNS: Readonly<Record<BenchOptions['scale'], TurnLength>> = {
  whole: { warming: 20_000, measured: 20_000 },
  quick: { warming: 2_000, measured: 4_000 },
  tiny: { warming: 10, measured: 40 },
};

const THROUGHPUT = 'a worker a core: requests a second, of what the cores have room for';
const CPU = 'a worker a core: CPU time a request, beside one process';

export const part: BenchPart = {
  about: 'forward-auth at an edge of one process, of two workers and of one a core: does throughput grow with cores',
  goals: [atLeast(80, '%', THROUGHPUT), atMost(1.25, 'times', CPU)],
  run: benchCores,
};

type Done = ReadonlyMap<number, readonly CoresTurn[]>;

/** Edges of more and more workers, in turns, each alone in new processes. */
async function benchCores({ scale, portBase }: BenchOptions): Promise<Measured> {
  const cores = availableParallelism();
  const counts = [...new Set([1, 2, cores])].sort((a, b) => a - b);
  const done = new Map(counts.map((workers): [number, CoresTurn[]] => [workers, []]));
  const stack = await MeasuredStack.start(portBase);
  try {
    for (let round = 0; round < ROUNDS[scale]; round += 1) {
      for (const [workers, turns] of done) turns.push(await turnOf(stack, workers, TURNS[scale]));
    }
  } finally {
    await stack.close();
  }
  return told(done, cores);
}

function told(done: Done, cores: number): Measured {
  const of = (workers: number, pick: (turn: CoresTurn) => number): Figure =>
    figureOf((done.get(workers) ?? []).map(pick));
  const rate = (workers: number): Figure => of(workers, ({ requestsASecond }) => requestsASecond);
  const edge = (workers: number): Figure => of(workers, ({ edgeMicroseconds }) => edgeMicroseconds);
  const load = (workers: number): Figure => of(workers, ({ loadMicroseconds }) => loadMicroseconds);
  const counts = [...done.keys()];
  // Were a request to cost no more with many than with one, and no core to wait.
  const room = (cores * 1e6) / (edge(1).median + load(1).median);
  const ofAll = (figure: () => number): GoalFigure => (cores > 1 ? figure() : { notMeasured: 'there is one core' });
  return {
    tables: [
      {
        title: `All cores: forward-auth, GET, at an edge of one process and of several workers, on ${cores} cores`,
        head: ['workers', 'requests a second', 'times one', 'CPU a request, µs', '… of who sends', 'p99, ms'],
        rows: counts.map((workers) => [
          workers,
          rate(workers),
          rate(workers).median / rate(1).median,
          edge(workers),
          load(workers),
          of(workers, ({ p99Ms }) => p99Ms),
        ]),
        notes: [
          'CPU time is of the whole edge: its own process and all workers. Who sends shares the cores with it.',
          `The cores have room for ${Math.round(room)} requests a second: all of them busy, at the CPU time of one process and of who sends to it.`,
        ],
      },
    ],
    figures: {
      [THROUGHPUT]: ofAll(() => (100 * rate(cores).median) / room),
      [CPU]: ofAll(() => edge(cores).median / edge(1).median),
    },
    plots: [
      {
        kind: 'bars',
        name: 'cores',
        title: 'Requests a second by the number of workers: median',
        unit: 'requests a second',
        groups: counts.map((workers) => ({
          name: workers === 1 ? 'one process' : `${workers} workers`,
          bars: [{ name: 'forward-auth, GET', value: rate(workers).median }],
        })),
      },
    ],
  };
}
