import { randomBytes } from 'node:crypto';
import {
  every,
  FeedCopy,
  HeldDays,
  memoryFor,
  ownDenialsIn,
  pinFeedKeys,
  SessionTokens,
  spiffeIdOf,
  type Clock,
  type DenialOf,
  type EdgeIdentity,
  type FeedDocument,
} from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Algorithm, ScopeDate } from '@sigv4-keyd/sigv4-core';
import { AcceptanceCounts, type TakenCounts } from '../acceptances/acceptance-counts.js';
import { AcceptanceRecord } from '../acceptances/acceptance-record.js';
import { feedGuard } from '../feed/feed-guard.js';
import type { EdgeKeysSettings } from '../settings.js';
import { SignatureKeys, type GuardedKeySource } from '../signature-keys.js';
import { windowRuleOf } from '../window.js';
import { BorrowedRung, type Lend } from './borrowed-rung.js';
import { KEY_FORMS } from './key-forms.js';

/** Access keys of a day that one process has in use at most; a quarter of them are ready at once. */
const MOST_IN_USE = 40_000;
const EXPIRE_EVERY_MS = 60_000;

export type BorrowedKeysSettings = Pick<
  EdgeKeysSettings,
  'presigned' | 'longestPresigned' | 'clockSkew' | 'feedKeys' | 'softHorizon' | 'hardHorizon'
>;

export interface BorrowedKeysOptions {
  readonly own: EdgeIdentity;
  /** What the edge believed of the feed when this process began. */
  readonly feed: string;
  readonly lend: Readonly<Record<Algorithm, Lend>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The keys of an edge in a process that does not hold them itself. */
export interface BorrowedKeys extends GuardedKeySource {
  /** Resolves to the version of the feed that is judged by from now on; no key that it denies is held any more. */
  takeNews(document: FeedDocument): Promise<number>;
  /** Lets go of a key that is another one now. */
  forget(algorithm: Algorithm, date: ScopeDate, accessKeyId: string): void;
  /** What was accepted since the last call. */
  takeCounts(): TakenCounts;
  /** The version of the feed that is judged by; 0 before the first. */
  readonly feedVersion: number;
  /** Keys in memory. */
  readonly size: number;
}

/** Opens them, for as long as the process lives. Rejects with FeedError for a feed that no follower wrote. */
export async function openBorrowedKeys(
  settings: BorrowedKeysSettings,
  { own, feed, lend, clock, log }: BorrowedKeysOptions,
): Promise<BorrowedKeys> {
  const { clockSkew, longestPresigned, softHorizon, hardHorizon } = settings;
  const pinned = await pinFeedKeys(settings.feedKeys);
  const rule = { longestPresignedSeconds: longestPresigned, clockSkewSeconds: clockSkew };
  const copy = await FeedCopy.open({ serialised: feed, keys: pinned, rule, clock });
  const scope = { region: own.region, service: own.service };
  const { denialOf } = ownDenialsIn(copy, spiffeIdOf(own), scope, clock);
  const borrowing = { window: windowRuleOf(settings), clock, denialOf };
  const rungs = {
    'AWS4-HMAC-SHA256': rungOf(KEY_FORMS['AWS4-HMAC-SHA256'], lend['AWS4-HMAC-SHA256'], borrowing),
    'AWS4-ECDSA-P256-SHA256': rungOf(KEY_FORMS['AWS4-ECDSA-P256-SHA256'], lend['AWS4-ECDSA-P256-SHA256'], borrowing),
  };
  const all = Object.values(rungs);
  every(clock, EXPIRE_EVERY_MS, () => {
    for (const rung of all) rung.expire();
  });
  const counts = new AcceptanceCounts();
  const keys = new SignatureKeys(own, {
    sources: rungs,
    guard: feedGuard(copy, own, { horizons: { softSeconds: softHorizon, hardSeconds: hardHorizon }, clock }),
    sessions: new SessionTokens({ ...scope, pinned, clock }),
    window: borrowing.window,
    record: new AcceptanceRecord(spiffeIdOf(own), { log, counts, clock }),
  });
  return {
    ...scope,
    window: keys.window,
    judgesSessionTokens: keys.judgesSessionTokens,
    find: (...question) => keys.find(...question),
    recordAccepted: (accepted, request) => keys.recordAccepted(accepted, request),
    async takeNews(document) {
      const held = copy.state.beacon;
      const { newStatements, newChanges } = await copy.take(document);
      const { beacon } = copy.state;
      const isNews = newStatements.length > 0 || newChanges.length > 0;
      // A beacon tells of bans, too.
      if (isNews || beacon?.banned.join() !== held?.banned.join())
        await Promise.all(all.map((rung) => rung.judgeAgain()));
      return beacon?.version ?? 0;
    },
    forget: (algorithm, date, accessKeyId) => rungs[algorithm].forget(date, accessKeyId),
    takeCounts: () => counts.take(),
    get feedVersion() {
      return copy.state.beacon?.version ?? 0;
    },
    get size() {
      return all.reduce((sum, { size }) => sum + size, 0);
    },
  };
}

interface Form<Key> {
  readonly keyBytes: number;
  readonly exportKey: (key: Key) => Buffer;
  readonly importKey: (bytes: Uint8Array) => Key;
}

function rungOf<Key>(
  form: Form<Key>,
  lend: Lend,
  { window, clock, denialOf }: Pick<SignatureKeys, 'window'> & { readonly clock: Clock; readonly denialOf: DenialOf },
): BorrowedRung<Key> {
  const { keyBytes, importKey } = form;
  const days = new HeldDays<Key>({
    hop: form,
    ready: (key) => key,
    clock,
    window,
    memoryBytes: memoryFor(MOST_IN_USE, { window, keyBytes }),
    hashSeed: randomBytes(8),
    denialOf,
  });
  return new BorrowedRung({ days, lend, importKey, denialOf });
}
