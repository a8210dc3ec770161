import { atLeast, atMost, type Goal, type GoalFigure } from '../goals.js';
import type { Figure } from '../measured.js';
import type { MeasuredRequest } from './measured-requests.js';

type Named = Pick<MeasuredRequest, 'service' | 'kind'>;

const OURS = 'sigv4-core';
const FLOOR = 'C floor';
const PEERS = ['aws4', '@smithy/signature-v4'];
const MOST_TIMES_THE_FLOOR = { GET: 3, PUT: 3, presigned: 2 } as const;
const LEAST_TIMES_THE_PEER = 4;

/** What a verification may cost. */
export function goalsOf(request: Named): readonly Goal[] {
  const { floor, peer } = textsOf(request);
  return [atMost(MOST_TIMES_THE_FLOOR[request.kind], 'times', floor), atLeast(LEAST_TIMES_THE_PEER, 'times', peer)];
}

/** What it does cost; without the floor where `lacks` says why there is none. */
export function goalFiguresOf(
  request: Named,
  figures: ReadonlyMap<string, Figure>,
  lacks: string,
): readonly (readonly [string, GoalFigure])[] {
  const of = (name: string): number => figures.get(name)?.median ?? Number.NaN;
  const { floor, peer } = textsOf(request);
  return [
    [floor, figures.has(FLOOR) ? of(OURS) / of(FLOOR) : { notMeasured: `no C floor: ${lacks}` }],
    [peer, Math.min(...PEERS.map(of)) / of(OURS)],
  ];
}

function textsOf({ service, kind }: Named) {
  return {
    floor: `${service}, ${kind}: beside the C floor`,
    peer: `${service}, ${kind}: faster than the best peer on Node.js`,
  };
}
