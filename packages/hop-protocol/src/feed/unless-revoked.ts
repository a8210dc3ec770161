import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Absence, AccessKeyFacts, IssuedKey, KeySource } from '../key-source.js';

/** Whether the feed denies an access key's scope on a day: asked once the answer is there. */
export type IsRevoked = (date: ScopeDate, facts: Pick<AccessKeyFacts, 'accessKeyId' | 'createdAt'>) => boolean;

/**
 * Takes the keys of revoked scopes out of a parent's answers: between a cache and its parent, it keeps a key that was
 * under way when its statement came from being held after the statement has wiped the cache.
 */
export function unlessRevoked<Key>(parent: KeySource<Key>, isRevoked: IsRevoked): KeySource<Key> {
  return {
    async issue(request) {
      const answer = await parent.issue(request);
      const issued = new Map<string, IssuedKey<Key>>();
      const absent = new Map<string, Absence>(answer.absent);
      for (const [accessKeyId, found] of answer.issued) {
        if (isRevoked(request.date, found.facts)) absent.set(accessKeyId, 'revoked');
        else issued.set(accessKeyId, found);
      }
      return { issued, absent };
    },
  };
}
