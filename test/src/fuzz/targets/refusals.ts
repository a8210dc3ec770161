import { isRefused, REFUSALS, type Refused } from '@sigv4-keyd/sigv4-core';
import { hold } from '../engine/target.js';

const LONGEST_DETAIL = 8 * 1024;

/** Whether it is a refusal, which then has to be one of the closed set, with a detail that any log can take. */
export function isKnownRefusal(outcome: object): outcome is Refused {
  if (!isRefused(outcome)) return false;
  hold(Object.hasOwn(REFUSALS, outcome.reason), `an unknown reason: ${outcome.reason}`);
  const { detail = '' } = outcome;
  hold(detail.length <= LONGEST_DETAIL && /^[\x20-\x7e]*$/.test(detail), 'a detail that is too long, or not printable');
  return true;
}
