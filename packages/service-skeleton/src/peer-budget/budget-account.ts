import { KEYS_BURST_SECONDS, REQUESTS_BURST_SECONDS, type BudgetLimits } from './budget-limits.js';

/** What is left of a peer's budget, for all replicas together. */
export interface BudgetAccount {
  /** Access keys and requests that may be asked for. */
  readonly keys: number;
  readonly requests: number;
  /** When that was so, epoch milliseconds. */
  readonly at: number;
  /** A UTC day, in days since 1970. */
  readonly day: number;
  /** Access keys that were drawn on it. */
  readonly keysOfDay: number;
}

/** Taken off an account, to be spent without asking again. */
export interface Portion {
  readonly keys: number;
  readonly requests: number;
}

export interface DrawRequest {
  readonly limits: BudgetLimits;
  readonly wanted: Portion;
  /** Epoch milliseconds. */
  readonly now: number;
}

export type Draw =
  | { readonly account: BudgetAccount; readonly portion: Portion }
  /** There is nothing to draw for so long. */
  | { readonly account: BudgetAccount; readonly retryAfterSeconds: number };

/** A portion is this part of what may be asked for at once, where it does: other replicas are to have some, too. */
const PORTION = 1 / 100;
const DAY_MS = 86_400_000;

export function newAccount(limits: BudgetLimits, now: number): BudgetAccount {
  const { keys, requests } = burstOf(limits);
  return { keys, requests, at: now, day: dayOf(now), keysOfDay: 0 };
}

/**
 * Draws a portion, at least what is wanted where that is left. A clock that is behind that of another replica adds
 * nothing, and brings no day back.
 */
export function draw(account: BudgetAccount, { limits, wanted, now }: DrawRequest): Draw {
  const filled = refill(account, limits, now);
  const burst = burstOf(limits);
  const leftOfDay = limits.peerKeysADay - filled.keysOfDay;
  const keys = Math.floor(Math.min(portionOf(burst.keys, wanted.keys), filled.keys, leftOfDay));
  const requests = Math.floor(Math.min(portionOf(burst.requests, wanted.requests), filled.requests));
  if (keys >= 1 && requests >= 1) {
    const left = { keys: filled.keys - keys, requests: filled.requests - requests };
    return { account: { ...filled, ...left, keysOfDay: filled.keysOfDay + keys }, portion: { keys, requests } };
  }
  return { account: filled, retryAfterSeconds: leftOfDay < 1 ? secondsToMidnight(filled, now) : 1 };
}

function refill(account: BudgetAccount, limits: BudgetLimits, now: number): BudgetAccount {
  const seconds = Math.max(0, now - account.at) / 1000;
  const burst = burstOf(limits);
  const today = dayOf(now);
  return {
    keys: Math.min(burst.keys, account.keys + seconds * limits.peerKeysPerSecond),
    requests: Math.min(burst.requests, account.requests + seconds * limits.peerRequestsPerSecond),
    at: Math.max(now, account.at),
    ...(today > account.day ? { day: today, keysOfDay: 0 } : { day: account.day, keysOfDay: account.keysOfDay }),
  };
}

function burstOf({ peerKeysPerSecond, peerRequestsPerSecond }: BudgetLimits): Portion {
  return { keys: peerKeysPerSecond * KEYS_BURST_SECONDS, requests: peerRequestsPerSecond * REQUESTS_BURST_SECONDS };
}

function portionOf(burst: number, wanted: number): number {
  return Math.max(wanted, burst * PORTION);
}

function secondsToMidnight({ day }: BudgetAccount, now: number): number {
  return Math.max(1, Math.ceil(((day + 1) * DAY_MS - now) / 1000));
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
