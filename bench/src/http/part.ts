import type { BenchOptions, BenchPart } from '../bench-part.js';
import { figureOf } from '../distribution.js';
import { atLeast, atMost, type GoalFigure } from '../goals.js';
import type { BarPlot, Cell, Measured, Table } from '../measured.js';
import { hashSpeeds, type HashSpeeds } from './hash-speeds.js';
import { MeasuredStack, type Turn, type TurnLength } from './measured-stack.js';
import { lacksNginx } from './nginx.js';
import {
  BEHIND_NGINX,
  CHUNKED_UPLOAD,
  FORWARD_AUTH_GET,
  FORWARD_AUTH_PRESIGNED,
  PROXIED_GET,
  SCENARIOS,
  type Scenario,
} from './scenarios.js';

const ROUNDS = { whole: 5, quick: 1, tiny: 1 } as const;
const TURNS: Readonly<Record<BenchOptions['scale'], TurnLength>> = {
  whole: { warming: 20_000, measured: 20_000 },
  quick: { warming: 2_000, measured: 2_000 },
  tiny: { warming: 10, measured: 40 },
};
const UPLOADS: typeof TURNS = {
  whole: { warming: 10, measured: 20 },
  quick: { warming: 2, measured: 4 },
  tiny: { warming: 1, measured: 1 },
};

const GET = 'forward-auth, GET: throughput beside bare Fastify';
const GET_CPU = 'forward-auth, GET: CPU time a request beyond bare Fastify';
const PRESIGNED = 'forward-auth, presigned: throughput beside bare Fastify';
const PRESIGNED_CPU = 'forward-auth, presigned: CPU time a request beyond bare Fastify';
const NGINX = 'forward-auth behind nginx: throughput beside an endpoint that checks nothing';
const PROXY = 'proxy, GET: throughput beside a bare undici proxy';
const CHUNKS = 'verification of signed chunks: speed beside SHA-256 of openssl';

export const part: BenchPart = {
  about: 'the edge over HTTP: forward-auth, proxy and uploads beside servers that check nothing',
  goals: [
    atLeast(85, '%', GET),
    atMost(4, 'µs', GET_CPU),
    atLeast(85, '%', PRESIGNED),
    atMost(4, 'µs', PRESIGNED_CPU),
    atLeast(95, '%', NGINX),
    atLeast(90, '%', PROXY),
    atLeast(80, '%', CHUNKS),
  ],
  run: benchHttp,
};

interface Pair {
  readonly bare: Turn[];
  readonly edge: Turn[];
}

/** Each server by itself, in turns, all in front of the same upstream. */
async function benchHttp({ scale, portBase }: BenchOptions): Promise<Measured> {
  const lacking = lacksNginx();
  const scenarios = SCENARIOS.filter(({ third }) => third !== 'nginx' || lacking === undefined);
  const pairs = new Map(scenarios.map((scenario): [Scenario, Pair] => [scenario, { bare: [], edge: [] }]));
  const stack = await MeasuredStack.start(portBase);
  try {
    for (let round = 0; round < ROUNDS[scale]; round += 1) {
      for (const [scenario, { bare, edge }] of pairs) {
        const length = (scenario.bodyBytes === 0 ? TURNS : UPLOADS)[scale];
        bare.push(await stack.turn(scenario, scenario.bare, length));
        edge.push(await stack.turn(scenario, scenario.edge, length));
      }
    }
  } finally {
    await stack.close();
  }
  const speeds = await hashSpeeds(ROUNDS[scale]);
  return {
    tables: [requestsTable(pairs, { lacking, isPinned: stack.isPinned }), uploadsTable(pairs, speeds)],
    figures: figuresOf(pairs, speeds, lacking),
    plots: [plotOf(pairs)],
  };
}

function requestsTable(
  pairs: ReadonlyMap<Scenario, Pair>,
  { lacking, isPinned }: { readonly lacking: string | undefined; readonly isPinned: boolean },
): Table {
  const row = (scenario: Scenario, name: string, turns: readonly Turn[]): Cell[] => [
    scenario.name,
    name,
    figureOf(turns.map(rateOf)),
    figureOf(turns.map(costOf)),
    figureOf(turns.map(busyOf)),
    figureOf(turns.map(({ p50Ms }) => p50Ms)),
    figureOf(turns.map(({ p99Ms }) => p99Ms)),
  ];
  return {
    title: 'The edge over HTTP, each server alone in a new process of one thread',
    head: ['', '', 'requests a second', 'CPU time a request, µs', 'of a core, %', 'p50, ms', 'p99, ms'],
    rows: [...pairs]
      .filter(([{ bodyBytes }]) => bodyBytes === 0)
      .flatMap(([scenario, { bare, edge }]) => [
        row(scenario, scenario.bare.name, bare),
        row(scenario, scenario.edge.name, edge),
      ]),
    notes: [
      'CPU time is of the server alone: neither of nginx, nor of the upstream, nor of whoever sends.',
      isPinned
        ? 'Server and sender have a core each, but behind nginx. Who sends to forward-auth never sleeps.'
        : 'No process had a core for itself: this machine cannot do that.',
      ...(lacking === undefined ? [] : [`Behind nginx: not measured, ${lacking}.`]),
    ],
  };
}

function uploadsTable(pairs: ReadonlyMap<Scenario, Pair>, { openssl, node, chunks }: HashSpeeds): Table {
  const { bare, edge } = pairs.get(CHUNKED_UPLOAD) ?? { bare: [], edge: [] };
  const megabytes = CHUNKED_UPLOAD.bodyBytes / 1e6;
  const row = (name: string, turns: readonly Turn[]): Cell[] => [
    name,
    figureOf(turns.map((turn) => rateOf(turn) * megabytes)),
    figureOf(turns.map((turn) => CHUNKED_UPLOAD.bodyBytes / costOf(turn))),
  ];
  return {
    title: CHUNKED_UPLOAD.name,
    head: ['', 'MB/s', 'MB a second of CPU time'],
    rows: [
      row(CHUNKED_UPLOAD.bare.name, bare),
      row(CHUNKED_UPLOAD.edge.name, edge),
      ['verification of signed chunks alone', '', chunks],
      ['SHA-256 in Node.js', '', node],
      ['SHA-256, openssl speed', '', openssl ?? 'not installed'],
    ],
    notes: [],
  };
}

function figuresOf(
  pairs: ReadonlyMap<Scenario, Pair>,
  { openssl, chunks }: HashSpeeds,
  lacking: string | undefined,
): Record<string, GoalFigure> {
  const ratio = (scenario: Scenario): GoalFigure => {
    const { bare, edge } = pairs.get(scenario) ?? { bare: [], edge: [] };
    return lacking !== undefined && scenario.third === 'nginx'
      ? { notMeasured: lacking }
      : (100 * figureOf(edge.map(rateOf)).median) / figureOf(bare.map(rateOf)).median;
  };
  const beyond = (scenario: Scenario): number => {
    const { bare, edge } = pairs.get(scenario) ?? { bare: [], edge: [] };
    const cost = (turns: readonly Turn[]): number => figureOf(turns.map(costOf)).median;
    return cost(edge) - cost(bare);
  };
  return {
    [GET]: ratio(FORWARD_AUTH_GET),
    [GET_CPU]: beyond(FORWARD_AUTH_GET),
    [PRESIGNED]: ratio(FORWARD_AUTH_PRESIGNED),
    [PRESIGNED_CPU]: beyond(FORWARD_AUTH_PRESIGNED),
    [NGINX]: ratio(BEHIND_NGINX),
    [PROXY]: ratio(PROXIED_GET),
    [CHUNKS]: openssl === undefined ? { notMeasured: 'openssl is not installed' } : (100 * chunks) / openssl,
  };
}

function plotOf(pairs: ReadonlyMap<Scenario, Pair>): BarPlot {
  return {
    kind: 'bars',
    name: 'http',
    title: 'CPU time a request at the server, µs: median',
    unit: 'µs',
    groups: [...pairs]
      .filter(([{ bodyBytes }]) => bodyBytes === 0)
      .map(([{ name, bare: bareOne, edge: edgeOne }, { bare, edge }]) => ({
        name,
        bars: [
          { name: bareOne.name, value: figureOf(bare.map(costOf)).median },
          { name: edgeOne.name, value: figureOf(edge.map(costOf)).median },
        ],
      })),
  };
}

/** Requests a second. */
function rateOf({ requests, seconds }: Turn): number {
  return requests / seconds;
}

function costOf({ microseconds }: Turn): number {
  return microseconds;
}

/** How much of a core the server took, %: near 100 it was the limit. Its helper threads may take it beyond. */
function busyOf(turn: Turn): number {
  return (rateOf(turn) * costOf(turn)) / 1e4;
}
