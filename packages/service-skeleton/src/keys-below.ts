import { setImmediate as otherWork } from 'node:timers/promises';
import type { Absence, DenialOf, IssuedKey, KeySource } from '@sigv4-keyd/hop-protocol';

/** Keys that are taken down before other requests have a turn: some milliseconds of work. */
const SLICE = 500;

export interface KeysBelow<Held, Key> {
  /** What this tier holds or asks the tier above for. */
  readonly held: KeySource<Held>;
  /** What of a held key goes to the asker. */
  readonly take: (key: Held) => Key;
  /** Judges for the scope of the asker. */
  readonly denialOf: DenialOf;
}

/** The upper side of a hop whose keys come from further above, for the scope of one asker. */
export function keysBelow<Held, Key>({ held, take, denialOf }: KeysBelow<Held, Key>): KeySource<Key> {
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
