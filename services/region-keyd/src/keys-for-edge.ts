import { setImmediate as otherWork } from 'node:timers/promises';
import type { Absence, DenialOf, IssuedKey, KeySource } from '@sigv4-keyd/hop-protocol';

/** Keys that are taken down before other requests have a turn: some milliseconds of work. */
const SLICE = 500;

export interface KeysForEdge<Held, Key> {
  /** What the region holds or asks the master for. */
  readonly held: KeySource<Held>;
  /** What of a held key goes to the edge. */
  readonly take: (key: Held) => Key;
  /** Judges for the edge's service. */
  readonly denialOf: DenialOf;
}

/** The upper side of the lower hop, for the one service of the asking edge. */
export function keysForEdge<Held, Key>({ held, take, denialOf }: KeysForEdge<Held, Key>): KeySource<Key> {
  return {
    async issue(request, requestId) {
      const answer = await held.issue(request, requestId);
      const issued = new Map<string, IssuedKey<Key>>();
      const absent = new Map<string, Absence>(answer.absent);
      let taken = 0;
      for (const [accessKeyId, { facts, key }] of answer.issued) {
        if (taken > 0 && taken % SLICE === 0) await otherWork();
        taken += 1;
        const denial = denialOf(request.date, facts);
        if (denial) absent.set(accessKeyId, denial);
        else issued.set(accessKeyId, { facts, key: take(key) });
      }
      return { issued, absent };
    },
  };
}
