import type { OwnReport, StatusAnswer, TierRow } from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { tierState } from './tier-state.js';

/** Less than this is little time to mend what is down. */
const SHORT_SECONDS = 3_600;

/** Masters, deputies, regions, edges; edges first that are silent, or go on alone only shortly. */
export function tierRows(status: StatusAnswer, days: readonly ScopeDate[], now: number): readonly TierRow[] {
  const row = (role: TierRow['role'], tier: Heard): TierRow => rowOf(role, tier, now);
  const edges = status.regions
    .flatMap((region) => region.edges)
    .map((edge) => row('edge', edge))
    .sort((one, other) => concern(other) - concern(one) || (one.spiffeId < other.spiffeId ? -1 : 1));
  return [
    ...status.masters.map(({ spiffeId, heardAt, ...report }) => row('master', { spiffeId, heardAt, report })),
    ...status.deputies.map((deputy) => ({
      ...row('deputy', deputy),
      grantedDays: days.filter((day) => deputy.grants.some(({ from, to }) => from <= day && day <= to)),
    })),
    ...status.regions.map((region) => row('region', region)),
    ...edges,
  ];
}

interface Heard {
  readonly spiffeId: string;
  readonly heardAt?: string | undefined;
  readonly report?:
    | (Pick<OwnReport, 'version' | 'certificateExpiresAt' | 'keys'> & {
        readonly feed?: { readonly version: number; readonly at: string } | undefined;
      })
    | undefined;
}

function rowOf(role: TierRow['role'], { spiffeId, heardAt, report }: Heard, now: number): TierRow {
  return {
    spiffeId,
    role,
    state: tierState(heardAt, now),
    heardAt,
    version: report?.version,
    certificateExpiresAt: report?.certificateExpiresAt,
    autonomySeconds: report?.keys?.autonomySeconds,
    keysHeld: report?.keys?.keysHeld,
    missingTomorrow: report?.keys?.prefetchLag.accessKeys,
    feed: report?.feed,
  };
}

/** In steps: by seconds of autonomy, rows would change places under the eyes of whoever watches. */
function concern({ state, autonomySeconds = 0 }: TierRow): number {
  if (state !== 'up') return 2;
  return autonomySeconds < SHORT_SECONDS ? 1 : 0;
}
