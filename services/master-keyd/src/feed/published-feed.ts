import {
  isSameSet,
  mayBeForgotten,
  nameSet,
  type PinnedKeys,
  type RetentionRule,
  type SetName,
  signBeacon,
  verifyBeacon,
} from '@sigv4-keyd/revocation';
import type { ServedFeed } from '@sigv4-keyd/service-skeleton';
import type { Transaction } from '../database/transaction.js';
import { currentBans } from './ban-table.js';
import type { MasterFeedKeys } from './feed-keys.js';
import { holdFeed, lockFeed, storeBeacon } from './feed-row.js';
import { dropPages, learnPages, NO_PAGES, type KnownPages } from './page-table.js';
import { learnStatements, NO_STATEMENTS, type KnownStatements } from './statement-table.js';
import { tellChanges, type Telling } from './tell-changes.js';

/** One beacon and all that it was made from. Never changed. */
export interface PublishedFeed extends ServedFeed {
  /** When it was signed, epoch milliseconds. */
  readonly at: number;
  readonly banned: ReadonlySet<string>;
  /** Every statement ever stored, those that the feed has forgotten included. */
  readonly known: KnownStatements;
  /** Every page of changes of access keys. */
  readonly pages: KnownPages;
}

export interface PublishingRule {
  readonly keys: MasterFeedKeys;
  readonly retention: RetentionRule;
  readonly beaconLifeSeconds: number;
}

/**
 * Signs the next beacon over all that the transaction sees, what has become of access keys included, and stores it.
 * Beacons are as many as their versions: the row is locked, so that no two masters can sign the same one.
 */
export async function signNext(
  transaction: Transaction,
  held: PublishedFeed | undefined,
  now: number,
  { keys, retention, beaconLifeSeconds }: PublishingRule,
): Promise<PublishedFeed> {
  const row = await lockFeed(transaction);
  const known = await learnStatements(transaction, held?.known ?? NO_STATEMENTS, keys.pinned);
  // Another master's clock may be ahead: verifiers refuse a beacon that is dated before the last.
  const at = Math.max(now, row.at);
  const version = row.version + 1;
  const pages = await nextPages(transaction, held, { version, at, keys, retention });
  const kept = keptSet({ known, pages }, held, at, retention);
  const bans = await currentBans(transaction);
  const banned = bans.map(({ spiffeId }) => spiffeId).sort();
  const beacon = await signBeacon(
    {
      version,
      ...kept.name,
      banned,
      at: new Date(at).toISOString(),
      expires: new Date(at + beaconLifeSeconds * 1000).toISOString(),
    },
    keys.beacon,
  );
  await storeBeacon(transaction, { version, at, jws: beacon });
  const { statements, name } = kept;
  return { version, setHash: name.setHash, beacon, statements, at, banned: new Set(banned), known, pages };
}

async function nextPages(
  transaction: Transaction,
  held: PublishedFeed | undefined,
  telling: Telling,
): Promise<KnownPages> {
  const { at, keys, retention } = telling;
  const known = await learnPages(transaction, held?.pages ?? NO_PAGES, keys.pinned);
  const areTold = await tellChanges(transaction, known, telling);
  const pages = areTold ? await learnPages(transaction, known, keys.pinned) : known;
  return dropPages(transaction, pages, retention, at);
}

/** The set of the newest beacon was put together by other rules than ours, or was changed behind our back. */
export class AnotherSet extends Error {
  override readonly name = 'AnotherSet';
}

/**
 * Reads the newest beacon, whichever master signed it; undefined before the first.
 * @throws FeedError for a beacon that no pinned key signed, AnotherSet
 */
export async function readNewest(
  transaction: Transaction,
  held: PublishedFeed | undefined,
  keys: PinnedKeys,
  retention: RetentionRule,
): Promise<PublishedFeed | undefined> {
  const row = await holdFeed(transaction);
  if (row.jws === '' || row.jws === held?.beacon) return held;
  const { beacon, at } = await verifyBeacon(row.jws, keys);
  const known = await learnStatements(transaction, held?.known ?? NO_STATEMENTS, keys);
  const pages = await learnPages(transaction, held?.pages ?? NO_PAGES, keys);
  const { statements, name } = keptSet({ known, pages }, held, at, retention);
  if (!isSameSet(name, beacon)) {
    throw new AnotherSet(`beacon ${beacon.version} names ${beacon.count} statements, here are ${name.count}`);
  }
  const { version, setHash } = beacon;
  return { version, setHash, beacon: row.jws, statements, at, banned: new Set(beacon.banned), known, pages };
}

interface KeptSet {
  readonly statements: readonly string[];
  readonly name: SetName;
}

function keptSet(
  { known, pages }: Pick<PublishedFeed, 'known' | 'pages'>,
  held: PublishedFeed | undefined,
  at: number,
  retention: RetentionRule,
): KeptSet {
  const kept = known.statements.filter(({ statement }) => !mayBeForgotten(statement, retention, at));
  // Of the same statements, a later time only ever forgets more: as many are the same ones.
  const statements = [...kept, ...pages.pages].map(({ jws }) => jws);
  const isOther = held?.known !== known || held.pages !== pages || held.statements.length !== statements.length;
  if (!isOther && held.at <= at) {
    return { statements: held.statements, name: { count: statements.length, setHash: held.setHash } };
  }
  return { statements, name: nameSet(statements) };
}
