import { setImmediate as otherWork } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import {
  KeydError,
  spiffeIdOf,
  withinSpan,
  type Absence,
  type AccessKeyFacts,
  type IssuedKey,
  type KeyAnswer,
  type KeySource,
  type MasterIdentity,
  type RegionIdentity,
  type RegionKeySource,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { kRegion, type KRegion, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { FastifyBaseLogger } from 'fastify';
import type { Pool } from 'pg';
import { logIssuance, recordIssuance, type IssuedScope, type KeyTaker } from './audit.js';
import { SealBroken, type Custody, type SealedSecret } from './custody/custody.js';
import { findAccessKeys, type IssuableAccessKey } from './database/access-keys.js';
import { lockForIssuing } from './database/locks.js';
import { tracerOf } from './database/traced-statements.js';
import { inTransaction, type Transaction } from './database/transaction.js';
import { currentBanOf } from './feed/ban-table.js';
import { refusalFor, requireInWindow } from './policy.js';
import { withinParent } from './sessions/within-parent.js';

export interface IssuingOptions {
  readonly pool: Pool;
  readonly custody: Custody;
  readonly window: WindowRule;
  readonly master: MasterIdentity;
  /** Throws KeydError while this master must not issue. */
  readonly requireUpToDate: () => void;
  readonly now: () => number;
}

export interface Asker<Peer extends KeyTaker = RegionIdentity> {
  /** From its certificate, which alone says what it may have. */
  readonly peer: Peer;
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
}

/** A kind of key that is issued: the scope that records have for it, who may have which days, how it is derived. */
export interface KeyKind<Key, Peer extends KeyTaker = RegionIdentity> {
  readonly scopeOf: (peer: Peer) => IssuedScope;
  /** Of more than the window: rejects with KeydError when the peer may not have this day. */
  readonly requireDay?: (transaction: Transaction, peer: Peer, date: ScopeDate) => Promise<void>;
  /** Keys that are unsealed and derived before other requests have a turn: some milliseconds of work. */
  readonly slice: number;
  readonly derive: (custody: Custody, secret: SealedSecret, terms: KeyTerms<Peer>) => Key | Promise<Key>;
}

/** For whom, and of which access key. */
export interface KeyTerms<Peer extends KeyTaker = RegionIdentity> {
  readonly peer: Peer;
  readonly date: ScopeDate;
  readonly facts: AccessKeyFacts;
}

export const KREGION: KeyKind<KRegion> = {
  scopeOf: ({ region }) => ({ rung: 'kRegion', region }),
  slice: 200,
  derive: async (custody, secret, { peer, date }) => kRegion(await custody.kDate(secret, date), peer.region),
};

/**
 * The deriving side of the upper hop, for one asking region. The keys exist for the length of a request, and leave only
 * after the record of it is durable.
 */
export function regionKeysFor(asker: Asker, options: IssuingOptions): RegionKeySource {
  return issuedKeysFor(asker, KREGION, options);
}

/** The same for any kind of key. */
export function issuedKeysFor<Key, Peer extends KeyTaker>(
  asker: Asker<Peer>,
  kind: KeyKind<Key, Peer>,
  options: IssuingOptions,
): KeySource<Key> {
  return {
    async issue({ date, accessKeyIds }) {
      const { answer } = await issueFound(asker, { date, kind }, options, async (transaction) => ({
        accessKeyIds,
        stored: await findAccessKeys(transaction, accessKeyIds),
      }));
      return answer;
    },
  };
}

/** The access keys that are to be issued, and those of them that were ever made. */
export interface FoundAccessKeys {
  readonly accessKeyIds: readonly string[];
  readonly stored: ReadonlyMap<string, IssuableAccessKey>;
}

interface Wanted<Key, Peer extends KeyTaker> {
  readonly date: ScopeDate;
  readonly kind: KeyKind<Key, Peer>;
}

/**
 * Issues what `find` finds, in one transaction: reading the access keys, deriving and recording. However keys are asked
 * for, they leave by this way.
 */
export async function issueFound<Key, Peer extends KeyTaker>(
  asker: Asker<Peer>,
  wanted: Wanted<Key, Peer>,
  options: IssuingOptions,
  find: (transaction: Transaction, at: number) => Promise<FoundAccessKeys>,
): Promise<FoundAccessKeys & { readonly answer: KeyAnswer<Key> }> {
  const { pool, custody, window, master, now } = options;
  const { date, kind } = wanted;
  const { peer, requestId } = asker;
  const at = now();
  requireInWindow(window, date, at);
  options.requireUpToDate();
  const { found, answer, issuance } = await inTransaction(pool, async (transaction) => {
    await lockForIssuing(transaction);
    // Another master may have banned the peer a moment ago; a ban waits for issuances, and those after it see it.
    if (await currentBanOf(transaction, spiffeIdOf(peer))) throw new KeydError('identity-banned');
    await kind.requireDay?.(transaction, peer, date);
    const found = await find(transaction, at);
    const parents = await parentsOf(transaction, found.stored);
    const scope = kind.scopeOf(peer);
    const facts = { 'keyd.keys': found.stored.size };
    const deriving = { name: `derive ${scope.rung}`, kind: SpanKind.INTERNAL, facts };
    const answer = await withinSpan(tracerOf(pool), deriving, () =>
      derive(asker, wanted, { ...found, parents }, { custody, at }),
    );
    const issuance = {
      at,
      scope,
      peer,
      scopeDate: date,
      accessKeyIds: [...answer.issued.keys()],
      absentCount: answer.absent.size,
      master,
      requestId,
    };
    // An answer without a key needs no record, and a flood of made-up ids must not fill the table.
    if (answer.issued.size > 0) await recordIssuance(transaction, issuance);
    return { found, answer, issuance };
  });
  logIssuance(asker.log, issuance);
  return { ...found, answer };
}

async function derive<Key, Peer extends KeyTaker>(
  asker: Asker<Peer>,
  { date, kind }: Wanted<Key, Peer>,
  { accessKeyIds, stored, parents }: FoundAccessKeys & { readonly parents: FoundAccessKeys['stored'] },
  { custody, at }: { readonly custody: Custody; readonly at: number },
): Promise<KeyAnswer<Key>> {
  const issued = new Map<string, IssuedKey<Key>>();
  const absent = new Map<string, Absence>();
  const scope = kind.scopeOf(asker.peer);
  const region = scope.rung === 'kDate' ? undefined : scope.region;
  const begun: Promise<void>[] = [];
  for (const [index, accessKeyId] of accessKeyIds.entries()) {
    if (index > 0 && index % kind.slice === 0) await otherWork();
    const found = stored.get(accessKeyId);
    const parent = parents.get(found?.parentId ?? '');
    const key = found && parent ? withinParent(found, parent) : found;
    const refusal = key ? refusalFor(region, key, at) : 'unknown';
    const deriving = key && refusal === undefined ? derived(asker, key, { date, kind, custody }) : undefined;
    const settle = (granted: IssuedKey<Key> | undefined): void => {
      if (granted) issued.set(accessKeyId, granted);
      else absent.set(accessKeyId, refusal ?? 'disabled');
    };
    // Millions of turns of the event loop are spared where the custody answers at once.
    if (deriving instanceof Promise) begun.push(heeded(deriving.then(settle)));
    else settle(deriving);
  }
  // One that is far away is asked for all of them before any answer is waited for.
  await Promise.all(begun);
  return { issued, absent };
}

/** A failure is for whoever waits in the end, and for no handler of what nobody waits for. */
function heeded(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}

/** The access keys of the sessions among these: what has become of them holds for their sessions, too. */
function parentsOf(transaction: Transaction, stored: FoundAccessKeys['stored']): Promise<FoundAccessKeys['stored']> {
  const ids = [...stored.values()].flatMap(({ parentId }) => parentId ?? []);
  return ids.length === 0 ? Promise.resolve(new Map()) : findAccessKeys(transaction, [...new Set(ids)]);
}

/** Undefined for a secret whose seal is broken: this access key is refused as if disabled, the others are served. */
function derived<Key, Peer extends KeyTaker>(
  { peer, log }: Asker<Peer>,
  stored: IssuableAccessKey,
  { date, kind, custody }: Wanted<Key, Peer> & { readonly custody: Custody },
): IssuedKey<Key> | undefined | Promise<IssuedKey<Key> | undefined> {
  const { accessKeyId, version, sealed } = stored;
  if (!sealed) return undefined;
  const facts = factsOf(stored);
  const brokenBy = (error: unknown): undefined => {
    if (!(error instanceof SealBroken)) throw error;
    log.error(
      { event: 'seal-broken', accessKeyId, version, err: error },
      'ALARM: the sealed secret of an access key does not open; the row was changed outside of this program. ' +
        'The access key is refused: delete it and find out who writes to the database',
    );
  };
  try {
    const key = kind.derive(custody, { accessKeyId, version, sealed }, { peer, date, facts });
    return key instanceof Promise ? key.then((later) => ({ facts, key: later }), brokenBy) : { facts, key };
  } catch (error) {
    brokenBy(error);
    return undefined;
  }
}

function factsOf(stored: IssuableAccessKey): AccessKeyFacts {
  const { accessKeyId, version, createdAt, expiresAt, services } = stored;
  return {
    accessKeyId,
    version,
    createdAt,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(services && { services }),
  };
}
