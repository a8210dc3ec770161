import { PkiError } from './pki-error.js';

export interface Lifetime {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const MILLISECONDS_A_DAY = 86_400_000;
const LONGEST_DAYS = 36_500;
// A peer whose clock is a little behind must not take a fresh certificate for one of the future.
const BACKDATED_MILLISECONDS = 5 * 60 * 1000;

/**
 * From five minutes before `now` (milliseconds since the epoch) to `days` after it; a fraction of a day is allowed.
 * @throws PkiError
 */
export function lifetimeFrom(now: number, days: number): Lifetime {
  if (!(days > 0 && days <= LONGEST_DAYS)) {
    throw new PkiError('malformed-lifetime', `${days} days is no lifetime: write a number up to ${LONGEST_DAYS}`);
  }
  return {
    notBefore: wholeSecond(now - BACKDATED_MILLISECONDS),
    notAfter: wholeSecond(now + days * MILLISECONDS_A_DAY),
  };
}

/** Nothing lives longer than what vouches for it. */
export function within(wanted: Lifetime, authority: Lifetime): Lifetime {
  return {
    notBefore: wanted.notBefore < authority.notBefore ? authority.notBefore : wanted.notBefore,
    notAfter: wanted.notAfter > authority.notAfter ? authority.notAfter : wanted.notAfter,
  };
}

/** Whole days left at `now`; negative once the end has passed. */
export function daysLeft(notAfter: Date, now: number): number {
  return Math.floor((notAfter.getTime() - now) / MILLISECONDS_A_DAY);
}

function wholeSecond(at: number): Date {
  return new Date(Math.floor(at / 1000) * 1000);
}
