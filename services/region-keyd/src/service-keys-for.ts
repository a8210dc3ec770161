import { setImmediate as otherWork } from 'node:timers/promises';
import type {
  Absence,
  AccessKeyFacts,
  EdgeIdentity,
  IsRevoked,
  IssuedKey,
  RegionKeySource,
  ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import { kService, type KService, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { refusalFor } from './policy.js';

/** Keys that are derived before other requests have a turn: some milliseconds of work. */
const SLICE = 500;

/** How the moment's keys of a region are judged. */
export interface Judgement {
  readonly now: () => number;
  readonly isRevoked: IsRevoked;
}

/** Why an edge is not given its key of an access key for a day, or undefined when it is. */
export function absenceFor(
  edge: EdgeIdentity,
  date: ScopeDate,
  facts: AccessKeyFacts,
  { now, isRevoked }: Judgement,
): Absence | undefined {
  return isRevoked(date, facts) ? 'revoked' : refusalFor(edge, facts, now());
}

/** The deriving side of the lower hop: one step down the ladder, for the one service of the asking edge. */
export function serviceKeysFor(
  edge: EdgeIdentity,
  regionKeys: RegionKeySource,
  judgement: Judgement,
): ServiceKeySource {
  return {
    async issue(request) {
      const held = await regionKeys.issue(request);
      const issued = new Map<string, IssuedKey<KService>>();
      const absent = new Map<string, Absence>(held.absent);
      let derived = 0;
      for (const [accessKeyId, { facts, key }] of held.issued) {
        if (derived > 0 && derived % SLICE === 0) await otherWork();
        derived += 1;
        const refusal = absenceFor(edge, request.date, facts, judgement);
        if (refusal) absent.set(accessKeyId, refusal);
        else issued.set(accessKeyId, { facts, key: kService(key, edge.service) });
      }
      return { issued, absent };
    },
  };
}
