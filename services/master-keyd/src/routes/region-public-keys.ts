import {
  encodeKeyAnswer,
  hasRole,
  KeydError,
  keyAnswer,
  keyRequest,
  REGION_PUBLIC_KEYS,
  spiffeIdOf,
} from '@sigv4-keyd/hop-protocol';
import type { MtlsApp, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { regionPublicKeysFor, type RegionPublicKeysOptions } from '../public-key-source.js';

/** POST /v1/region-public-keys: the public keys that a region's edges verify AWS4-ECDSA-P256-SHA256 with. */
export function regionPublicKeysRoute(app: MtlsApp, budget: PeerBudget, options: RegionPublicKeysOptions): void {
  app.post(
    REGION_PUBLIC_KEYS.path,
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
        regionPublicKeysFor(asker, options).issue(request.body),
      );
      return encodeKeyAnswer(REGION_PUBLIC_KEYS, request.body.date, { region: region.region }, answer);
    },
  );
}
