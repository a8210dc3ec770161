import {
  denialsIn,
  encodeKeyAnswer,
  hasRole,
  KeydError,
  keyAnswer,
  keyRequest,
  SERVICE_KEYS,
  spiffeIdOf,
  type KnownFeed,
  type RegionIdentity,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { logIssuance } from '../audit.js';
import type { RegionLedger } from '../journal/region-ledger.js';
import { serviceIssuanceRecord } from '../journal/service-issuance.js';
import { requireOwnRegion } from '../policy.js';
import { serviceKeysFor } from '../service-keys-for.js';

/** POST /v1/service-keys: an edge's kService for one day. */
export function serviceKeysRoute(
  app: MtlsApp,
  {
    own,
    regionKeys,
    feed,
    ledger,
    budget,
    now,
  }: {
    readonly own: RegionIdentity;
    readonly regionKeys: RegionKeySource;
    readonly feed: KnownFeed;
    readonly ledger: Pick<RegionLedger, 'record'>;
    readonly budget: PeerBudget;
    readonly now: () => number;
  },
): void {
  app.post(
    SERVICE_KEYS.path,
    {
      config: { mtls: { roles: ['edge'] } },
      schema: { body: keyRequest, response: { 200: keyAnswer } },
      onRequest: budget.refuseEarly,
    },
    async (request) => {
      const edge = request.peer;
      if (!hasRole(edge, 'edge')) throw new KeydError('role-not-allowed');
      requireOwnRegion(own, edge);
      const denialOf = denialsIn(feed, { region: own.region, service: edge.service }, { now });
      const answer = await budget.run(spiffeIdOf(edge), request.body.accessKeyIds.length, () =>
        serviceKeysFor(edge, regionKeys, denialOf).issue(request.body),
      );
      const { date } = request.body;
      const accessKeyIds = [...answer.issued.keys()];
      const issuance = { own, edge, date, accessKeyIds, requestId: request.id, at: now() };
      // Recorded before released: a key that leaves without its record would be outside of every blast radius.
      if (answer.issued.size > 0) await ledger.record(serviceIssuanceRecord(issuance));
      logIssuance(request.log, edge, request.body, answer, request.id);
      return encodeKeyAnswer(SERVICE_KEYS, date, { region: own.region, service: edge.service }, answer);
    },
  );
}
