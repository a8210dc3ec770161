import { FEED_BEAT_MS, keyMemoryProblem, SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import { SHARED_LIFETIMES, type Relation } from '@sigv4-keyd/service-skeleton';
import { EDGE_PUBLIC_KEYS } from './public-keys.js';
import type { EdgeKeysSettings } from './settings.js';
import { windowRuleOf } from './window.js';

type LifetimeSettings = Pick<
  EdgeKeysSettings,
  | 'tlsCert'
  | 'longestPresigned'
  | 'clockSkew'
  | 'presigned'
  | 'softHorizon'
  | 'hardHorizon'
  | 'keyMemory'
  | 'publicKeyMemory'
>;

const BEAT_SECONDS = FEED_BEAT_MS / 1000;
/** A horizon of fewer beats would deny, or alarm, for one answer that was lost. */
const FEWEST_BEATS = 2;
const LEAST_HORIZON = FEWEST_BEATS * BEAT_SECONDS;
const LEAST_HORIZON_SUM = `${FEWEST_BEATS} beats of the feed: ${FEWEST_BEATS} x ${BEAT_SECONDS}s = ${LEAST_HORIZON}s`;
/** Tomorrow's keys are held from noon on at the earliest, and end with tomorrow. */
const LONGEST_WITH_KEYS = 36 * 3_600;

/** How the lifetimes of an edge must stand to each other: seconds, but for the memory, which is in bytes. */
export const EDGE_LIFETIMES: readonly Relation<LifetimeSettings>[] = [
  ...SHARED_LIFETIMES,
  {
    between: ['hardHorizon'],
    problem: ({ hardHorizon }) =>
      hardHorizon >= LEAST_HORIZON
        ? undefined
        : `KEYD_HARD_HORIZON is ${hardHorizon}s, but must be at least ${LEAST_HORIZON_SUM}`,
  },
  {
    between: ['softHorizon', 'hardHorizon'],
    problem: ({ softHorizon, hardHorizon }) =>
      softHorizon < hardHorizon
        ? undefined
        : `KEYD_SOFT_HORIZON (${softHorizon}s) must be below KEYD_HARD_HORIZON (${hardHorizon}s)`,
  },
  {
    between: ['softHorizon'],
    isDoubtful: true,
    problem: ({ softHorizon }) =>
      softHorizon >= LEAST_HORIZON
        ? undefined
        : `KEYD_SOFT_HORIZON is ${softHorizon}s, below ${LEAST_HORIZON_SUM}: one lost answer raises the alarm`,
  },
  {
    between: ['hardHorizon', 'clockSkew'],
    isDoubtful: true,
    problem: ({ hardHorizon, clockSkew }) =>
      hardHorizon > clockSkew
        ? undefined
        : `KEYD_HARD_HORIZON (${hardHorizon}s) is not above KEYD_CLOCK_SKEW (${clockSkew}s): ` +
          `were the clock of this edge ahead by as much as is accepted of clients, it would deny every request`,
  },
  {
    between: ['hardHorizon'],
    isDoubtful: true,
    problem: ({ hardHorizon }) =>
      hardHorizon <= LONGEST_WITH_KEYS
        ? undefined
        : `KEYD_HARD_HORIZON is ${hardHorizon}s, but keys last for ${LONGEST_WITH_KEYS}s at most (noon until the end of the ` +
          `next day): the rest only lengthens the time for which a revocation can be hidden`,
  },
  {
    between: ['keyMemory', 'presigned', 'longestPresigned', 'clockSkew'],
    problem: (settings) =>
      keyMemoryProblem({
        memoryBytes: settings.keyMemory,
        window: windowRuleOf(settings),
        keyBytes: SERVICE_KEYS.keyBytes,
      }),
  },
  {
    between: ['publicKeyMemory', 'presigned', 'longestPresigned', 'clockSkew'],
    problem: (settings) =>
      keyMemoryProblem({
        setting: 'KEYD_PUBLIC_KEY_MEMORY',
        memoryBytes: settings.publicKeyMemory,
        window: windowRuleOf(settings),
        keyBytes: EDGE_PUBLIC_KEYS.keyBytes,
      }),
  },
];
