import type { AccessKeyFacts, Absence, CachedKeySource, Cancel } from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';

/** A key for another process of the edge, as bytes that the caller wipes; or why there is none. */
export type LentKey = { readonly facts: AccessKeyFacts; readonly key: Uint8Array } | Absence;

/** The key of one access key and day is another one now, or gone. */
export type ChangeListener = (date: ScopeDate, accessKeyId: string) => void;

/** The keys of one algorithm, as they are lent to other processes of the edge. */
export interface SharedRung {
  /** As the edge itself finds them: once for all who ask. Rejects with KeydError. */
  lend(date: ScopeDate, accessKeyId: string, requestId: string | undefined): Promise<LentKey>;
  /** Told of every key that takes the place of another, or is taken away: whoever has it lent must let go of it. */
  onChanged(listener: ChangeListener): Cancel;
}

export function sharedRung<Key>(
  source: Pick<CachedKeySource<never, Key>, 'find' | 'days'>,
  { exportKey }: { readonly exportKey: (key: Key) => Uint8Array },
): SharedRung {
  return {
    async lend(date, accessKeyId, requestId) {
      const finding = await source.find(date, accessKeyId, requestId);
      if (typeof finding === 'string') return finding;
      return { facts: finding.facts, key: exportKey(finding.key) };
    },
    onChanged: (listener) => source.days.subscribe({ onHeld: listener, onWiped: listener }),
  };
}
