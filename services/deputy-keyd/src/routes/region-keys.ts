import {
  denialsIn,
  REGION_KEYS,
  type DeputyIdentity,
  type KeySource,
  type KnownFeed,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import {
  issuingRoute,
  keysBelow,
  type IssuerLedger,
  type MtlsApp,
  type PeerBudget,
} from '@sigv4-keyd/service-skeleton';
import { kRegion, type KDate } from '@sigv4-keyd/sigv4-core';
import { issuanceToRegion, logIssuance } from '../audit.js';
import { requireServed, type ServingRule } from '../policy.js';

export interface RegionKeysRouteOptions {
  readonly own: DeputyIdentity;
  readonly dateKeys: KeySource<KDate>;
  readonly rule: ServingRule;
  readonly feed: KnownFeed;
  readonly ledger: Pick<IssuerLedger, 'record'>;
  readonly budget: PeerBudget;
}

/** POST /v1/region-keys: a region's own kRegion for one granted day, one step down the ladder. */
export function regionKeysRoute(app: MtlsApp, options: RegionKeysRouteOptions): void {
  const { own, dateKeys, rule, feed, ledger, budget } = options;
  const { now } = rule;
  issuingRoute(app, {
    hop: REGION_KEYS,
    role: 'region',
    budget,
    issueTo({ peer, requestId, log }) {
      const { region } = peer;
      const denialOf = denialsIn(feed, { region }, { now });
      const source = keysBelow({ held: dateKeys, take: (key) => kRegion(key, region), denialOf });
      const issue: RegionKeySource['issue'] = async (request) => {
        requireServed(request.date, rule);
        const answer = await source.issue(request, requestId);
        const accessKeyIds = [...answer.issued.keys()];
        const issuance = { own, region: peer, date: request.date, accessKeyIds, requestId, at: now() };
        // Recorded before released: a key that leaves without its record would be outside of every blast radius.
        if (accessKeyIds.length > 0) await ledger.record(issuanceToRegion(issuance));
        logIssuance(log, issuance, answer.absent.size);
        return answer;
      };
      return { scope: { region }, keys: { issue } };
    },
  });
}
