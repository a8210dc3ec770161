/** Of a SPIFFE id: the trust domain is the same for all; what differs is the path. */
export function pathOf(spiffeId: string): string {
  return spiffeId.replace(/^spiffe:\/\/[^/]*/, '');
}
