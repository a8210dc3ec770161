import { onProven } from './examined.js';
import type { Examined } from './examined.js';
import type { VerificationPolicy } from './policy.js';
import { examineRequest as examineByReference } from './reference/examine.js';
import { isRefused } from './refusal.js';
import type { Refused } from './refusal.js';
import type { RequestHead } from './request-head.js';
import { RequestShapes } from './shapes/request-shapes.js';

/** What is remembered of requests goes with the policy that they were accepted by. */
const shapesOf = new WeakMap<VerificationPolicy, RequestShapes>();

/**
 * Every step that needs no key; reference/examine.ts has them in order. A request of a known shape takes each of them
 * with less work. Any other, and all that are refused, take them one by one, so that the reasons come from one place.
 * A policy is not to be changed once it was used.
 *
 * `now` is in epoch milliseconds.
 */
export function examineRequest(head: RequestHead, policy: VerificationPolicy, now: number): Examined | Refused {
  let shapes = shapesOf.get(policy);
  if (shapes === undefined) {
    shapes = new RequestShapes(policy);
    shapesOf.set(policy, shapes);
  }
  const known = shapes.examine(head, now);
  if (known !== undefined) return known;
  const outcome = examineByReference(head, policy, now);
  if (isRefused(outcome)) return outcome;
  // Only a request that was proven is learnt from: without a key, nobody can push out what honest requests left.
  return { ...outcome, [onProven]: () => shapes.learn(head) };
}
