import { createMtlsAgent, type MtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { hasRole, identityOf, type EdgeIdentity } from '@sigv4-keyd/hop-protocol';
import { TierAbove, type TierAboveOptions } from '@sigv4-keyd/service-skeleton';

/** Keys are taken from region-keyd of our own region only: any other would answer keys that verify nothing here. */
export function ownRegion(
  urls: readonly URL[],
  own: EdgeIdentity,
  context: Omit<TierAboveOptions, 'acceptsServer'>,
): TierAbove {
  return new TierAbove(urls, {
    ...context,
    acceptsServer: (id) => {
      const server = identityOf(id);
      if (server === undefined || !hasRole(server, 'region')) return false;
      return server.trustDomain === own.trustDomain && server.region === own.region;
    },
  });
}

/** Dials any region: for the feed alone, which is believed for its signatures. */
export function anyRegion(
  own: EdgeIdentity,
  { credentials, timer }: Pick<TierAboveOptions, 'credentials' | 'timer'>,
): MtlsAgent {
  return createMtlsAgent({
    credentials,
    timer,
    acceptsServer: (id) => id.trustDomain === own.trustDomain && identityOf(id)?.role === 'region',
  });
}
