import {
  encodeKeyAnswer,
  hasRole,
  KeydError,
  keyAnswer,
  keyRequest,
  REGION_KEYS,
  spiffeIdOf,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { regionKeysFor, type RegionKeysOptions } from '../key-source.js';

/** POST /v1/region-keys: a region's own kRegion for one day. */
export function regionKeysRoute(app: MtlsApp, budget: PeerBudget, options: RegionKeysOptions): void {
  app.post(
    REGION_KEYS.path,
    {
      config: { mtls: { roles: ['region'] } },
      schema: { body: keyRequest, response: { 200: keyAnswer } },
      onRequest: budget.refuseEarly,
    },
    async (request) => {
      const region = request.peer;
      if (!hasRole(region, 'region')) throw new KeydError('role-not-allowed');
      const asker = { region, requestId: request.id, log: request.log };
      const answer = await budget.run(spiffeIdOf(region), request.body.accessKeyIds.length, () =>
        regionKeysFor(asker, options).issue(request.body),
      );
      return encodeKeyAnswer(REGION_KEYS, request.body.date, { region: region.region }, answer);
    },
  );
}
