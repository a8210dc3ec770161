import { count } from '../settings.js';

/** What one peer, known by its certificate, may ask of this tier. The replicas of a tier count together. */
export interface BudgetLimits {
  /** Access keys in the long run. */
  readonly peerKeysPerSecond: number;
  /** Requests for keys in the long run. */
  readonly peerRequestsPerSecond: number;
  /** Access keys from midnight to midnight UTC. */
  readonly peerKeysADay: number;
}

/** How many seconds' worth of access keys, and of requests, may be asked for at once after a time without any. */
export const KEYS_BURST_SECONDS = 1_200;
export const REQUESTS_BURST_SECONDS = 10;

const atLeastOne = count.refine((number) => number >= 1, 'must be at least 1');

/**
 * The settings of a tier that serves others. The defaults let a peer fetch two days of a million access keys each, two
 * times over, before anything is slowed down.
 */
export const budgetSettings = {
  peerKeysPerSecond: atLeastOne
    .prefault('5000')
    .describe('Access keys that a peer may ask for a second, in the long run; 20 minutes of it at once'),
  peerRequestsPerSecond: atLeastOne
    .prefault('500')
    .describe('Requests for keys that a peer may make a second, in the long run; 10 seconds of it at once'),
  peerKeysADay: atLeastOne.prefault('20000000').describe('Access keys that a peer may ask for a day, UTC'),
};
