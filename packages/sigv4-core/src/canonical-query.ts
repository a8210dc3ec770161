import type { QueryParameter } from './query-parameters.js';

/** Where the signature travels. */
export type Mechanism = 'header' | 'presigned';

/**
 * The canonical query: sorted by encoded name, then encoded value, by bytes. Sorting joined `name=value` texts would
 * differ, since "=" sorts after "-" and the digits. A presigned URL cannot sign its own signature; in header
 * authentication X-Amz-Signature is a parameter like any other, and must stay.
 */
export function canonicalQuery(parameters: readonly QueryParameter[], mechanism: Mechanism): string {
  const kept = mechanism === 'presigned' ? parameters.filter(isNotTheSignature) : [...parameters];
  kept.sort(byNameThenValue);
  return kept.map(({ name, value }) => `${name}=${value}`).join('&');
}

function isNotTheSignature({ name }: QueryParameter): boolean {
  return name.toLowerCase() !== 'x-amz-signature';
}

/** Encoded names and values are ASCII, so that comparing UTF-16 units compares bytes. */
function byNameThenValue(a: QueryParameter, b: QueryParameter): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return 0;
}
