import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Absence } from './key-source.js';

export interface HoldOptions {
  readonly isPinned?: boolean;
  /** When the key came from above, epoch milliseconds; by default now. */
  readonly fetchedAt?: number;
}

/** What became of a key that was to be held; an absence where it is denied. */
export type Holding = 'held' | 'outside-window' | 'outdated' | 'no-room' | Absence;

/** What is held of one day, for status and metrics. */
export interface HeldDay {
  readonly date: ScopeDate;
  readonly keys: number;
  /** Epoch milliseconds of the newest key of this day. */
  readonly fetchedAt: number;
  /** Access keys that had to make room for others. */
  readonly evicted: number;
  /** Access keys for which there was no room, since what was there is pinned. */
  readonly turnedAway: number;
  /** Memory taken. */
  readonly bytes: number;
}

/** Is told of every change, right after it. Must not throw. */
export interface HeldDaysListener {
  readonly onHeld?: (date: ScopeDate, accessKeyId: string) => void;
  /** A key was taken away because it is no longer good. */
  readonly onWiped?: (date: ScopeDate, accessKeyId: string) => void;
  /** An access key was used on a newer day than ever before. */
  readonly onUsed?: (accessKeyId: string) => void;
  /** A day left the window, and all its keys with it. */
  readonly onExpired?: (date: ScopeDate) => void;
  /** The bound is reached: from now on access keys of this day make room for others. Told once a day. */
  readonly onFull?: (date: ScopeDate) => void;
}
