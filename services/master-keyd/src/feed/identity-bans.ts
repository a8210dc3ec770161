import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  identityOf,
  KeydError,
  spiffeIdOf,
  type IdentityBan,
  type ListedBans,
  type Role,
} from '@sigv4-keyd/hop-protocol';
import { MOST_BANNED } from '@sigv4-keyd/revocation';
import type { Pool } from 'pg';
import type { Author } from '../author.js';
import { logOperatorAction, recordOperatorAction, type OperatorAction } from '../audit.js';
import { lockForChanging } from '../database/locks.js';
import { inTransaction } from '../database/transaction.js';
import { currentBanOf, currentBans, insertBanEvent } from './ban-table.js';
import { lockFeed } from './feed-row.js';
import type { MasterFeed } from './master-feed.js';

export interface IdentityBansOptions {
  readonly pool: Pool;
  readonly feed: MasterFeed;
  readonly trustDomain: string;
  readonly now: () => number;
}

const BANNABLE: ReadonlySet<Role> = new Set(['deputy', 'region', 'edge']);

/**
 * Deputies, regions and edges that are shut out. The beacon carries the list down; masters, too, read it from there.
 */
export class IdentityBans {
  readonly #options: IdentityBansOptions;

  constructor(options: IdentityBansOptions) {
    this.#options = options;
  }

  /** When this resolves, the identity is refused, and the beacon that says so is served. */
  async ban(author: Author, spiffeId: string, reason: string): Promise<IdentityBan> {
    this.#requireBannable(spiffeId);
    const at = this.#options.now();
    const by = spiffeIdOf(author.operator);
    const record: OperatorAction = { ...deedOf(author, at), action: 'ban', identity: spiffeId, detail: { reason } };
    await this.#options.feed.publish(async (transaction) => {
      // Waits for issuances under way, so that what the records say the identity was given is complete.
      await lockForChanging(transaction);
      await lockFeed(transaction);
      const bans = await currentBans(transaction);
      if (bans.some((ban) => ban.spiffeId === spiffeId)) {
        throw new KeydError('already-exists', { detail: `${spiffeId} is banned` });
      }
      if (bans.length >= MOST_BANNED) {
        const detail = `${bans.length} are banned, and no more fit the beacon; unban whose certificates have ended`;
        throw new KeydError('wrong-state', { detail });
      }
      await insertBanEvent(transaction, { spiffeId, author: by, at, reason });
      await recordOperatorAction(transaction, record);
    });
    logOperatorAction(author.log, record);
    return { spiffeId, reason, by, at: new Date(at).toISOString() };
  }

  /** Resolves with the ban that has ended. */
  async unban(author: Author, spiffeId: string): Promise<IdentityBan> {
    const at = this.#options.now();
    const record: OperatorAction = { ...deedOf(author, at), action: 'unban', identity: spiffeId };
    const ended = await this.#options.feed.publish(async (transaction) => {
      await lockFeed(transaction);
      const ban = await currentBanOf(transaction, spiffeId);
      if (!ban) throw new KeydError('not-found', { detail: `${spiffeId} is not banned` });
      await insertBanEvent(transaction, { spiffeId, author: spiffeIdOf(author.operator), at });
      await recordOperatorAction(transaction, record);
      return ban;
    });
    logOperatorAction(author.log, record);
    return ended;
  }

  async list(): Promise<ListedBans> {
    return { bans: [...(await inTransaction(this.#options.pool, currentBans))] };
  }

  #requireBannable(spiffeId: string): void {
    const id = parseSpiffeId(spiffeId);
    const identity = id && identityOf(id);
    const isOurs = identity?.trustDomain === this.#options.trustDomain;
    if (isOurs && BANNABLE.has(identity.role)) return;
    const detail = `spiffeId: must be a region, an edge or a deputy of ${this.#options.trustDomain}`;
    throw new KeydError('malformed-request', { detail });
  }
}

function deedOf({ operator, requestId }: Author, at: number): Pick<OperatorAction, 'at' | 'operator' | 'requestId'> {
  return { at, operator, requestId };
}
