import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { RevocationStatement } from './statement.js';

type Described = Pick<RevocationStatement, 'accessKeyId' | 'region' | 'service' | 'from' | 'to' | 'issuedBefore'>;

/** What a statement hits, in words, for dry runs and reports. */
export function describeScope({ accessKeyId, region, service, from, to, issuedBefore }: Described): string {
  return [
    accessKeyId === undefined ? 'every access key' : `access key ${accessKeyId}`,
    ...(issuedBefore === undefined ? [] : [`created before ${new Date(issuedBefore).toISOString()}`]),
    region === undefined ? 'in every region' : `in region ${region}`,
    service === undefined ? 'for every service' : `for service ${service}`,
    from === to ? `signed on ${dayOf(from)} (UTC)` : `signed from ${dayOf(from)} to ${dayOf(to)} inclusive (UTC)`,
  ].join(', ');
}

function dayOf(date: ScopeDate): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
}
