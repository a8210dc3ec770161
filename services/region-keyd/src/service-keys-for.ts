import type {
  Absence,
  EdgeIdentity,
  IsRevoked,
  IssuedKey,
  RegionKeySource,
  ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import { kService, type KService } from '@sigv4-keyd/sigv4-core';
import { refusalFor } from './policy.js';

/** The deriving side of the lower hop: one step down the ladder, for the one service of the asking edge. */
export function serviceKeysFor(
  edge: EdgeIdentity,
  regionKeys: RegionKeySource,
  { now, isRevoked }: { readonly now: () => number; readonly isRevoked: IsRevoked },
): ServiceKeySource {
  return {
    async issue(request) {
      const held = await regionKeys.issue(request);
      const issued = new Map<string, IssuedKey<KService>>();
      const absent = new Map<string, Absence>(held.absent);
      for (const [accessKeyId, { facts, key }] of held.issued) {
        const refusal = isRevoked(request.date, facts) ? 'revoked' : refusalFor(edge, facts, now());
        if (refusal) absent.set(accessKeyId, refusal);
        else issued.set(accessKeyId, { facts, key: kService(key, edge.service) });
      }
      return { issued, absent };
    },
  };
}
