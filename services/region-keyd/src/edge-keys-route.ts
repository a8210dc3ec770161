import {
  denialsIn,
  type EdgeIdentity,
  type Hop,
  type KeySource,
  type KnownFeed,
  type RegionIdentity,
} from '@sigv4-keyd/hop-protocol';
import {
  issuingRoute,
  keysBelow,
  type IssuerLedger,
  type MtlsApp,
  type PeerBudget,
} from '@sigv4-keyd/service-skeleton';
import { logIssuance } from './audit.js';
import { issuanceToEdge, type EdgeRung } from './journal/issuance-to-edge.js';
import { requireOwnRegion, requireOwnRung } from './policy.js';

/** What one route gives to edges. */
export interface EdgeKeys<Held, Key> {
  readonly hop: Hop<Key>;
  readonly rung: EdgeRung;
  /** What the region holds or asks the master for. */
  readonly held: KeySource<Held>;
  /** What of a held key goes to the edge. */
  readonly take: (key: Held, edge: EdgeIdentity) => Key;
}

export interface EdgeKeysRouteOptions {
  readonly own: RegionIdentity;
  readonly feed: KnownFeed;
  readonly ledger: Pick<IssuerLedger, 'record'>;
  readonly budget: PeerBudget;
  readonly now: () => number;
}

/** Answers edges by one hop: judged by their certificate and the feed, recorded, then released. */
export function edgeKeysRoute<Held, Key>(
  app: MtlsApp,
  { hop, rung, held, take }: EdgeKeys<Held, Key>,
  { own, feed, ledger, budget, now }: EdgeKeysRouteOptions,
): void {
  issuingRoute(app, {
    hop,
    role: 'edge',
    budget,
    issueTo({ peer: edge, requestId, log }) {
      requireOwnRegion(own, edge);
      requireOwnRung(edge, rung);
      const scope = { region: own.region, service: edge.service };
      const denialOf = denialsIn(feed, scope, { now });
      const source = keysBelow({ held, take: (key) => take(key, edge), denialOf });
      const issue: KeySource<Key>['issue'] = async (request) => {
        const answer = await source.issue(request, requestId);
        const accessKeyIds = [...answer.issued.keys()];
        const issuance = { own, edge, rung, date: request.date, accessKeyIds, requestId, at: now() };
        // Recorded before released: a key that leaves without its record would be outside of every blast radius.
        if (accessKeyIds.length > 0) await ledger.record(issuanceToEdge(issuance));
        logIssuance(log, issuance, answer.absent.size);
        return answer;
      };
      return { scope, keys: { issue } };
    },
  });
}
