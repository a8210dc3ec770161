import { KeydError, rungOf, type EdgeIdentity, type RegionIdentity, type WindowRule } from '@sigv4-keyd/hop-protocol';
import type { EdgeRung } from './journal/issuance-to-edge.js';

/** The days whose keys the region holds: past ones for as long as a presigned URL may live. */
export function windowRuleOf(settings: { readonly longestPresigned: number; readonly clockSkew: number }): WindowRule {
  return { longestPresignedSeconds: settings.longestPresigned, clockSkewSeconds: settings.clockSkew };
}

/** An edge is served by its own region only: its certificate names both its region and its one service. */
export function requireOwnRegion(own: RegionIdentity, edge: EdgeIdentity): void {
  if (edge.region === own.region) return;
  throw new KeydError('role-not-allowed', {
    detail: `your certificate is for ${edge.region}, this is ${own.region}; point the edge at its own region`,
  });
}

/** An edge is given the one rung that its certificate is for. Public keys are on none: they sign nothing. */
export function requireOwnRung(edge: EdgeIdentity, rung: EdgeRung): void {
  const own = rungOf(edge);
  if (rung === 'publicKey' || rung === own) return;
  throw new KeydError('role-not-allowed', { detail: `your certificate is for ${own}, this route gives ${rung}` });
}
