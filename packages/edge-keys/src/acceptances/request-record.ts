import { hash } from 'node:crypto';
import type { RecordedRequest, RequestHead } from '@sigv4-keyd/sigv4-core';

/** What the log says of a request, accepted or not: no path, query, key or signature. `edge` is its SPIFFE id. */
export function requestRecord({ head, requestId }: RecordedRequest, edge: string): object {
  return { requestId, method: head.method, pathSha256: pathSha256(head), edge };
}

/** A path may tell more than a log should; its hash still finds the request that an investigation has in hand. */
export function pathSha256({ target }: Pick<RequestHead, 'target'>): string {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  return hash('sha256', Buffer.from(path, 'latin1'), 'hex');
}
