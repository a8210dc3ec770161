import { atLeast, atMost, type Goal, type GoalFigure } from '../goals.js';
import type { Figure } from '../measured.js';
import type { CompiledName } from './compiled-programs.js';
import type { MeasuredRequest } from './measured-requests.js';

type Named = Pick<MeasuredRequest, 'service' | 'kind'>;

const OURS = 'sigv4-core';
const FLOOR = 'C floor';
const NODE_PEERS = ['aws4', '@smithy/signature-v4'] as const;
/** Of those that are measured here; docs/performance.md says which others there are. */
const OTHER_PEERS = ['aws-sdk-go-v2'] as const;
const MOST_TIMES_THE_FLOOR = { GET: 3, PUT: 3, presigned: 2 } as const;
const LEAST_TIMES_THE_NODE_PEER = 4;
const LEAST_TIMES_ANY_PEER = 2.5;

/** What a verification may cost. */
export function goalsOf(request: Named): readonly Goal[] {
  const { floor, nodePeer, anyPeer } = textsOf(request);
  return [
    atMost(MOST_TIMES_THE_FLOOR[request.kind], 'times', floor),
    atLeast(LEAST_TIMES_THE_NODE_PEER, 'times', nodePeer),
    atLeast(LEAST_TIMES_ANY_PEER, 'times', anyPeer),
  ];
}

/** What it does cost; `lacks` says why there is no figure of a program. */
export function goalFiguresOf(
  request: Named,
  figures: ReadonlyMap<string, Figure>,
  lacks: (name: CompiledName) => string | undefined,
): readonly (readonly [string, GoalFigure])[] {
  const of = (name: string): number => figures.get(name)?.median ?? Number.NaN;
  const unless = (names: readonly CompiledName[], figure: () => number): GoalFigure => {
    const lacking = names.find((name) => lacks(name) !== undefined);
    return lacking === undefined ? figure() : { notMeasured: `${lacking} ${lacks(lacking) ?? ''}` };
  };
  const { floor, nodePeer, anyPeer } = textsOf(request);
  return [
    [floor, unless([FLOOR], () => of(OURS) / of(FLOOR))],
    [nodePeer, Math.min(...NODE_PEERS.map(of)) / of(OURS)],
    [anyPeer, unless(OTHER_PEERS, () => Math.min(...[...NODE_PEERS, ...OTHER_PEERS].map(of)) / of(OURS))],
  ];
}

function textsOf({ service, kind }: Named) {
  return {
    floor: `${service}, ${kind}: beside the C floor`,
    nodePeer: `${service}, ${kind}: faster than the best peer on Node.js`,
    anyPeer: `${service}, ${kind}: faster than the fastest peer in any language`,
  };
}
