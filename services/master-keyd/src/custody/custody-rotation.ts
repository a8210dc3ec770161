import { KeydError, MOST_UNREADABLE_NAMED, type CustodyStatus, type RotatedCustody } from '@sigv4-keyd/hop-protocol';
import type { Pool } from 'pg';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from '../audit.js';
import type { Author } from '../author.js';
import { lockMigrations } from '../database/locks.js';
import { countOthers, countSealed, idsOfOthers, lockOthers, replaceSeals } from '../database/sealed-secrets.js';
import { heardMasters } from '../database/tier-reports.js';
import { inTransaction } from '../database/transaction.js';
import { forgetUnusedKeys } from './custody-check.js';
import { SealBroken, type Resealing, type SealedSecret } from './custody.js';

/** A master that said something of itself so lately may be up: several beats may have failed. Milliseconds. */
const MAY_BE_UP_MS = 30_000;

export interface CustodyRotationOptions {
  readonly pool: Pool;
  readonly resealing: Resealing;
  /** The variable that gives the key that it seals with. */
  readonly keySetting: string;
  readonly now: () => number;
}

export interface WantedPage {
  readonly after?: string | undefined;
  readonly limit: number;
}

/**
 * From an old custody key to the present one while everything goes on. Any number of masters may do it at a time, and
 * whoever is stopped half-way leaves whole pages behind: which key a secret is under is seen from its seal.
 */
export class CustodyRotation {
  readonly #options: CustodyRotationOptions;

  constructor(options: CustodyRotationOptions) {
    this.#options = options;
  }

  status(): Promise<CustodyStatus> {
    const { pool, resealing } = this.#options;
    return inTransaction(pool, async (transaction) => {
      const counted = await countSealed(transaction);
      const unreadable = await idsOfOthers(transaction, resealing.readablePrefixes, MOST_UNREADABLE_NAMED);
      const keys = counted.map(({ keyId, secrets }) => ({
        ...(keyId !== undefined && { keyId, isGiven: resealing.reads.includes(keyId) }),
        secrets,
      }));
      return { sealsWith: resealing.sealsWith, keys, unreadable: [...unreadable] };
    });
  }

  /** Rejects with KeydError 'wrong-state' while another master still seals with another key. */
  async resealPage(author: Author, { after = '', limit }: WantedPage): Promise<RotatedCustody> {
    const { pool, resealing } = this.#options;
    const { sealsWith, prefix } = resealing;
    await this.#requireOneKey();
    const { page, anew, unreadable } = await inTransaction(pool, async (transaction) => {
      const page = await lockOthers(transaction, { prefix, after, limit });
      const { anew, unreadable } = await resealAll(resealing, page);
      await replaceSeals(transaction, anew);
      if (anew.length > 0) await recordOperatorAction(transaction, this.#record(author, anew));
      return { page, anew, unreadable };
    });
    const left = page.length < limit ? await this.#finish() : undefined;
    if (anew.length > 0) logOperatorAction(author.log, this.#record(author, anew));
    for (const accessKeyId of unreadable) {
      author.log.error({ event: 'seal-broken', accessKeyId }, 'the secret does not open, and was not sealed anew');
    }
    const next = left === undefined ? page.at(-1)?.accessKeyId : undefined;
    return {
      sealsWith,
      resealed: anew.length,
      unreadable: [...unreadable],
      ...(next !== undefined && { next }),
      ...(left !== undefined && { left }),
    };
  }

  /** How many secrets are under another key; where there are none, no master has to have another key from now on. */
  #finish(): Promise<number> {
    const { pool, resealing } = this.#options;
    return inTransaction(pool, async (transaction) => {
      await lockMigrations(transaction);
      const left = await countOthers(transaction, resealing.prefix);
      if (left === 0) await forgetUnusedKeys(transaction, resealing.sealsWith);
      return left;
    });
  }

  /** A master that seals with another key would make more of the seals that are to go, or cannot read the new ones. */
  async #requireOneKey(): Promise<void> {
    const { pool, resealing, keySetting, now } = this.#options;
    const masters = await heardMasters(pool);
    const other = masters.find(
      ({ heardAt, report }) => now() - heardAt < MAY_BE_UP_MS && report.custodyKey !== resealing.sealsWith,
    );
    if (!other) return;
    const detail =
      `${other.spiffeId} does not seal with custody key ${resealing.sealsWith}; give every master the same ` +
      `${keySetting} first (one that is stopped is forgotten after ${MAY_BE_UP_MS / 1000} seconds)`;
    throw new KeydError('wrong-state', { detail });
  }

  #record({ operator, requestId }: Author, anew: readonly SealedSecret[]): OperatorAction {
    const { sealsWith } = this.#options.resealing;
    const detail = {
      custodyKey: sealsWith,
      resealed: anew.length,
      first: anew.at(0)?.accessKeyId,
      last: anew.at(-1)?.accessKeyId,
    };
    return { at: this.#options.now(), operator, action: 'rotate-custody-key', detail, requestId };
  }
}

async function resealAll(
  resealing: Resealing,
  secrets: readonly SealedSecret[],
): Promise<{ readonly anew: readonly SealedSecret[]; readonly unreadable: readonly string[] }> {
  const all = await Promise.all(secrets.map((secret) => resealed(resealing, secret)));
  return {
    anew: all.filter((each) => typeof each !== 'string'),
    unreadable: all.filter((each) => typeof each === 'string'),
  };
}

/** The access key id of a secret that does not open. */
async function resealed(resealing: Resealing, secret: SealedSecret): Promise<SealedSecret | string> {
  try {
    return { ...secret, sealed: await resealing.reseal(secret) };
  } catch (error) {
    if (error instanceof SealBroken) return secret.accessKeyId;
    throw error;
  }
}
