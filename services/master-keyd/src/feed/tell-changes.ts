import { addDays, scopeDateOf, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import {
  intoPages,
  signAccessKeyPage,
  verifyFact,
  isPage,
  writeChange,
  type AccessKeyChange,
  type RetentionRule,
  type SignedPage,
} from '@sigv4-keyd/revocation';
import { takeUntoldChanges } from '../database/untold-changes.js';
import type { Transaction } from '../database/transaction.js';
import type { MasterFeedKeys } from './feed-keys.js';
import { storePage, type KnownPages } from './page-table.js';

export interface Telling {
  /** The version of the beacon that is about to be signed. */
  readonly version: number;
  /** Its time, epoch milliseconds. */
  readonly at: number;
  readonly keys: MasterFeedKeys;
  readonly retention: RetentionRule;
}

/**
 * Puts what has become of access keys since the last beacon into pages that the next one names. The last page grows as
 * long as its day lasts, so that a few changes a day are one small page. Returns whether there were any.
 */
export async function tellChanges(transaction: Transaction, known: KnownPages, telling: Telling): Promise<boolean> {
  const untold = await takeUntoldChanges(transaction, telling.version);
  if (untold.length === 0) return false;
  const to = lastDay(telling);
  const open = openPage(known, to);
  const before = open?.page.page.changes ?? [];
  const changes = new Map([...before, ...untold].map((change) => [change.accessKeyId, change]));
  const first = open?.number ?? Math.max(-1, ...known.byNumber.keys()) + 1;
  for (const [index, page] of intoPages([...changes.values()]).entries()) {
    if (index === 0 && areSame(page, before)) continue;
    const signed = await sign({ to, changes: page }, telling);
    await storePage(transaction, { number: first + index, edition: telling.version, signed });
  }
  return true;
}

/**
 * The last day that keys can be for which were issued before a change of now: tomorrow, by the clock of any master.
 */
function lastDay({ at, retention }: Telling): ScopeDate {
  return addDays(scopeDateOf(at + retention.clockSkewSeconds * 1000), 1);
}

function openPage(
  { byNumber }: KnownPages,
  to: ScopeDate,
): { readonly number: number; readonly page: SignedPage } | undefined {
  const number = Math.max(-1, ...byNumber.keys());
  const page = byNumber.get(number)?.page;
  return page === undefined || typeof page === 'string' || page.page.to !== to ? undefined : { number, page };
}

function areSame(left: readonly AccessKeyChange[], right: readonly AccessKeyChange[]): boolean {
  return left.length === right.length && left.every((change, index) => sameText(change, right[index]));
}

function sameText(left: AccessKeyChange, right: AccessKeyChange | undefined): boolean {
  return right !== undefined && writeChange(left) === writeChange(right);
}

async function sign(
  page: { readonly to: ScopeDate; readonly changes: readonly AccessKeyChange[] },
  { at, keys }: Telling,
): Promise<SignedPage> {
  const jws = await signAccessKeyPage({ ...page, at: new Date(at).toISOString() }, keys.revocation);
  // Read back as everyone below will: what they would refuse must not be published.
  const signed = await verifyFact(jws, keys.pinned);
  if (!isPage(signed)) throw new Error('a page was signed that is none');
  return signed;
}
