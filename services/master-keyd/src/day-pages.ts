import { MOST_KEYS_A_REQUEST, type DayStreamRequest, type StreamedKey } from '@sigv4-keyd/hop-protocol';
import { kRegionBytes, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import type { KeyTaker } from './audit.js';
import { pageOfIssuableAccessKeys } from './database/issuable-access-keys.js';
import { issueFound, KREGION, type Asker, type IssuingOptions, type KeyKind } from './key-source.js';

/** kRegion, made to travel on at once. */
export const KREGION_BYTES: KeyKind<Buffer> = {
  ...KREGION,
  derive(custody, secret, { peer: { region }, date }) {
    if (custody.kRegionBytes) return custody.kRegionBytes(secret, date, region);
    const key = custody.kDate(secret, date);
    return key instanceof Promise ? key.then((later) => kRegionBytes(later, region)) : kRegionBytes(key, region);
  },
};

/**
 * A peer's keys of a whole day, a page at a time, in the order of the access key ids. Each page is an issuance like
 * any other: one transaction, committed with its record before the page is released, under the checks of its moment.
 * Between two pages nothing is open: whoever reads slowly holds nothing up.
 */
export async function* dayPages<Peer extends KeyTaker>(
  asker: Asker<Peer>,
  { date, which, after: startAfter }: DayStreamRequest,
  kind: KeyKind<Buffer, Peer>,
  options: IssuingOptions,
): AsyncGenerator<readonly StreamedKey[], void, undefined> {
  const scope = kind.scopeOf(asker.peer);
  const filter = {
    region: scope.rung === 'kDate' ? undefined : scope.region,
    dayBegins: startOfScopeDate(date),
    isPinned: which === 'pinned',
    limit: MOST_KEYS_A_REQUEST,
  };
  let after = startAfter;
  for (;;) {
    const from = after;
    const { answer, accessKeyIds } = await issueFound(asker, { date, kind }, options, async (transaction, at) => {
      const page = await pageOfIssuableAccessKeys(transaction, { ...filter, at, after: from });
      const stored = new Map(page.map((key) => [key.accessKeyId, key]));
      return { accessKeyIds: [...stored.keys()], stored };
    });
    yield [...answer.issued.values()];
    if (accessKeyIds.length < filter.limit) return;
    after = accessKeyIds.at(-1);
  }
}
