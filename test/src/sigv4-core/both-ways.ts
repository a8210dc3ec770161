import { deepStrictEqual } from 'node:assert/strict';
import { concludeRequest, examineRequest, isRefused, reference } from '@sigv4-keyd/sigv4-core';
import type {
  Accepted,
  Examined,
  RequestHead,
  Refused,
  SignatureKey,
  VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';

/** What a request is verified with. */
export interface Circumstances {
  readonly policy: VerificationPolicy;
  readonly now: number;
  readonly keyOf: (examined: Examined) => SignatureKey;
  readonly bodySha256: string;
}

export interface ReadBothWays {
  readonly verdict: Accepted | Refused;
  /** Whether the policy knew the shape of the request, so that the steps of the reference were not taken. */
  readonly isShaped: boolean;
}

/** Verifies a request twice, by the reference and as everybody does. Throws unless both say the same of everything. */
export function readBothWays(head: RequestHead, { policy, now, keyOf, bodySha256 }: Circumstances): ReadBothWays {
  const expected = reference.examineRequest(head, policy, now);
  const found = examineRequest(head, policy, now);
  deepStrictEqual(seen(found), seen(expected));
  if (isRefused(found) || isRefused(expected)) return { verdict: found as Refused, isShaped: false };
  const key = keyOf(expected);
  for (const body of [undefined, 'of another body', bodySha256]) {
    deepStrictEqual(concludeRequest(found, key, body), reference.concludeRequest(expected, key, body));
  }
  // A stated hash is compared with the body by whoever reads it.
  const verdict = concludeRequest(found, key, found.payload.kind === 'body' ? bodySha256 : undefined);
  return { verdict, isShaped: isShaped(found) };
}

/** All that callers can see of an examined request. */
function seen(outcome: Examined | Refused): unknown {
  if (isRefused(outcome)) return outcome;
  const { method, path, pathRule, parameters, mechanism, headers, signedHeaders } = outcome.request;
  const request = { method, path, pathRule, parameters, mechanism, headers: [...headers], signedHeaders };
  return { ...Object.fromEntries(Object.entries(outcome)), request };
}

function isShaped({ request }: Examined): boolean {
  return Object.getPrototypeOf(request) !== Object.prototype;
}
