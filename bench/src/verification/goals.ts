import type { Figure } from './interleaved.js';
import type { MeasuredRequest } from './measured-requests.js';

/** A ratio that is aimed at, and what was measured. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly figure: number;
  readonly isMet: boolean;
}

const OURS = 'sigv4-core';
const FLOOR = 'C floor';
const PEERS = ['aws4', '@smithy/signature-v4'];
const MOST_TIMES_THE_FLOOR = { GET: 3, PUT: 3, presigned: 2 } as const;
const LEAST_TIMES_THE_PEER = 4;

/** What a verification may cost, beside what it costs; without the floor where there is none. */
export function goalsOf({ kind }: MeasuredRequest, figures: ReadonlyMap<string, Figure>): readonly Goal[] {
  const of = (name: string): number => figures.get(name)?.median ?? Number.NaN;
  const goals: Goal[] = [];
  const most = MOST_TIMES_THE_FLOOR[kind];
  const timesFloor = of(OURS) / of(FLOOR);
  if (!Number.isNaN(timesFloor)) {
    goals.push({
      what: `${kind}: times the C floor`,
      goal: `at most ${most}`,
      figure: timesFloor,
      isMet: timesFloor <= most,
    });
  }
  const timesPeer = Math.min(...PEERS.map(of)) / of(OURS);
  goals.push({
    what: `${kind}: times faster than the best peer on Node.js`,
    goal: `at least ${LEAST_TIMES_THE_PEER}`,
    figure: timesPeer,
    isMet: timesPeer >= LEAST_TIMES_THE_PEER,
  });
  return goals;
}
