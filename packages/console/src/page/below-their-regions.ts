import type { TierRow } from '@sigv4-keyd/hop-protocol';
import { pathOf } from './words.js';

/** Masters and deputies first; then each region: replicas, with edges below them, in the order in which they came. */
export function belowTheirRegions(tiers: readonly TierRow[]): readonly TierRow[] {
  const above = tiers.filter((tier) => regionOf(tier) === undefined);
  const regions = new Set(tiers.map(regionOf).filter((region) => region !== undefined));
  const inRegions = [...regions].flatMap((region) => tiers.filter((tier) => regionOf(tier) === region));
  return [...above, ...inRegions];
}

function regionOf({ role, spiffeId }: TierRow): string | undefined {
  return role === 'region' || role === 'edge' ? pathOf(spiffeId).split('/')[2] : undefined;
}
