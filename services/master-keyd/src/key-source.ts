import { setImmediate as otherWork } from 'node:timers/promises';
import {
  KeydError,
  spiffeIdOf,
  type Absence,
  type IssuedKey,
  type KeyAnswer,
  type MasterIdentity,
  type RegionIdentity,
  type RegionKeySource,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import { kRegion, type KRegion, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { FastifyBaseLogger } from 'fastify';
import type { Pool } from 'pg';
import { logIssuance, recordIssuance } from './audit.js';
import { SealBroken, type Custody } from './custody/custody.js';
import { findAccessKeys, type StoredAccessKey } from './database/access-keys.js';
import { lockForIssuing } from './database/locks.js';
import { inTransaction, type Transaction } from './database/transaction.js';
import { currentBanOf } from './feed/ban-table.js';
import { refusalFor, requireInWindow } from './policy.js';

export interface RegionKeysOptions {
  readonly pool: Pool;
  readonly custody: Custody;
  readonly window: WindowRule;
  readonly master: MasterIdentity;
  /** Throws KeydError while this master must not issue. */
  readonly requireUpToDate: () => void;
  readonly now: () => number;
}

export interface Asker {
  /** From its certificate; the region of every key that is issued to it. */
  readonly region: RegionIdentity;
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
}

/** Access keys that are unsealed and derived before other requests have a turn: some milliseconds of work. */
const SLICE = 200;

/**
 * The deriving side of the upper hop, for one asking region. The keys exist for the length of a request: kDate is
 * neither kept nor given to anyone, and kRegion leaves only after the record of it is durable.
 */
export function regionKeysFor(asker: Asker, options: RegionKeysOptions): RegionKeySource {
  return {
    async issue({ date, accessKeyIds }) {
      const { answer } = await issueFound(asker, date, options, async (transaction) => ({
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
  readonly stored: ReadonlyMap<string, StoredAccessKey>;
}

/**
 * Issues what `find` finds, in one transaction: reading the access keys, deriving and recording. However keys are asked
 * for, they leave by this way.
 */
export async function issueFound(
  asker: Asker,
  date: ScopeDate,
  options: RegionKeysOptions,
  find: (transaction: Transaction, at: number) => Promise<FoundAccessKeys>,
): Promise<FoundAccessKeys & { readonly answer: KeyAnswer<KRegion> }> {
  const { pool, custody, window, master, now } = options;
  const at = now();
  requireInWindow(window, date, at);
  options.requireUpToDate();
  const { found, answer, issuance } = await inTransaction(pool, async (transaction) => {
    await lockForIssuing(transaction);
    // Another master may have banned the region a moment ago; a ban waits for issuances, and those after it see it.
    if (await currentBanOf(transaction, spiffeIdOf(asker.region))) throw new KeydError('identity-banned');
    const found = await find(transaction, at);
    const answer = await derive(asker, date, found, { custody, at });
    const issuance = {
      at,
      region: asker.region,
      scopeDate: date,
      accessKeyIds: [...answer.issued.keys()],
      absentCount: answer.absent.size,
      master,
      requestId: asker.requestId,
    };
    // An answer without a key needs no record, and a flood of made-up ids must not fill the table.
    if (answer.issued.size > 0) await recordIssuance(transaction, issuance);
    return { found, answer, issuance };
  });
  logIssuance(asker.log, issuance);
  return { ...found, answer };
}

async function derive(
  asker: Asker,
  date: ScopeDate,
  { accessKeyIds, stored }: FoundAccessKeys,
  { custody, at }: { readonly custody: Custody; readonly at: number },
): Promise<KeyAnswer<KRegion>> {
  const issued = new Map<string, IssuedKey<KRegion>>();
  const absent = new Map<string, Absence>();
  for (const [index, accessKeyId] of accessKeyIds.entries()) {
    if (index > 0 && index % SLICE === 0) await otherWork();
    const key = stored.get(accessKeyId);
    const refusal = key ? refusalFor(asker.region, key, at) : 'unknown';
    const derived = key && refusal === undefined ? await kRegionOf(key, date, asker, custody) : undefined;
    if (key && derived) issued.set(accessKeyId, { facts: factsOf(key), key: derived });
    else absent.set(accessKeyId, refusal ?? 'disabled');
  }
  return { issued, absent };
}

/** Undefined for a secret whose seal is broken: this access key is refused as if disabled, the others are served. */
async function kRegionOf(
  { accessKeyId, version, sealed }: StoredAccessKey,
  date: ScopeDate,
  asker: Asker,
  custody: Custody,
): Promise<KRegion | undefined> {
  if (!sealed) return undefined;
  try {
    return kRegion(await custody.kDate({ accessKeyId, version, sealed }, date), asker.region.region);
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    asker.log.error(
      { event: 'seal-broken', accessKeyId, version, err: error },
      'ALARM: the sealed secret of an access key does not open; the row was changed outside of this program. ' +
        'The access key is refused: delete it and find out who writes to the database',
    );
    return undefined;
  }
}

function factsOf(stored: StoredAccessKey): IssuedKey<KRegion>['facts'] {
  const { accessKeyId, version, createdAt, expiresAt, services } = stored;
  return {
    accessKeyId,
    version,
    createdAt,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(services && { services }),
  };
}
