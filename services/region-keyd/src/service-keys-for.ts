import { setImmediate as otherWork } from 'node:timers/promises';
import type {
  Absence,
  DenialOf,
  EdgeIdentity,
  IssuedKey,
  RegionKeySource,
  ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import { kService, type KService } from '@sigv4-keyd/sigv4-core';

/** Keys that are derived before other requests have a turn: some milliseconds of work. */
const SLICE = 500;

/** The deriving side of the lower hop: one step down the ladder, for the one service of the asking edge. */
export function serviceKeysFor(edge: EdgeIdentity, regionKeys: RegionKeySource, denialOf: DenialOf): ServiceKeySource {
  return {
    async issue(request) {
      const held = await regionKeys.issue(request);
      const issued = new Map<string, IssuedKey<KService>>();
      const absent = new Map<string, Absence>(held.absent);
      let derived = 0;
      for (const [accessKeyId, { facts, key }] of held.issued) {
        if (derived > 0 && derived % SLICE === 0) await otherWork();
        derived += 1;
        const denial = denialOf(request.date, facts);
        if (denial) absent.set(accessKeyId, denial);
        else issued.set(accessKeyId, { facts, key: kService(key, edge.service) });
      }
      return { issued, absent };
    },
  };
}
