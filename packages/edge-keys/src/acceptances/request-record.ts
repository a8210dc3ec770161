import { hash } from 'node:crypto';
import type { RecordedRequest } from '@sigv4-keyd/sigv4-core';

/** What the log says of a request, accepted or not: no path, query, key or signature. `edge` is its SPIFFE id. */
export function requestRecord({ head, requestId }: RecordedRequest, edge: string): object {
  const query = head.target.indexOf('?');
  const path = query < 0 ? head.target : head.target.slice(0, query);
  // A path may tell more than a log should; its hash still finds the request that an investigation has in hand.
  const pathSha256 = hash('sha256', Buffer.from(path, 'latin1'), 'hex');
  return { requestId, method: head.method, pathSha256, edge };
}
