import {
  KeydError,
  spiffeIdOf,
  type EdgeIdentity,
  type IssuedKey,
  type RegionKeySource,
  type ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import { accountsInMemory, createLogger, keysBelow, PeerBudget } from '@sigv4-keyd/service-skeleton';
import { kDate, kRegion, kSecret, kService, type KRegion, type KService } from '@sigv4-keyd/sigv4-core';
import { SecondCounts } from './counts.js';
import { newRegionKeys } from './region-keys.js';
import type { SimulatedClock } from './simulated-clock.js';

export interface CountedTiersOptions {
  readonly clock: SimulatedClock;
  readonly random: () => number;
  /** For the counts. */
  readonly seconds: number;
}

/** Requests, and the access keys in them. */
interface Load {
  readonly requests: SecondCounts;
  readonly keys: SecondCounts;
}

export const REGION = 'eu-west-1';
/** Until an answer is there, milliseconds: of a master that commits a record first, and of a region. */
export const MASTER_ANSWERS_AFTER_MS = 50;
const REGION_ANSWERS_AFTER_MS = 2;
/** As region-keyd is by default. */
const BUDGET = { peerKeysPerSecond: 5_000, peerRequestsPerSecond: 500, peerKeysADay: 20_000_000 };
const MOST_OF_AN_EDGE_AT_A_TIME = 16;

/**
 * A region and a master, joined by calls in place of mTLS: who asks whom when is counted. The region begins with
 * nothing held, like one that lost its disk.
 */
export class CountedTiers {
  isRegionDown = false;
  isMasterDown = false;
  readonly atMaster: Load;
  readonly atRegion: Load;
  /** Requests for the feed, at the region. */
  readonly feed: SecondCounts;
  /** Requests of edges that had used up their budget. */
  overBudget = 0;
  /** The most requests that were under way at the master at a time. */
  mostAtMaster = 0;
  readonly #clock: SimulatedClock;
  readonly #regionKeys: RegionKeySource;
  readonly #budget: PeerBudget;
  #underWay = 0;

  constructor({ clock, random, seconds }: CountedTiersOptions) {
    this.#clock = clock;
    const counts = (): SecondCounts => new SecondCounts(clock.now(), seconds);
    this.atMaster = { requests: counts(), keys: counts() };
    this.atRegion = { requests: counts(), keys: counts() };
    this.feed = counts();
    this.#regionKeys = newRegionKeys(this.#master(), { clock, random });
    this.#budget = new PeerBudget({
      accounts: accountsInMemory(),
      limits: BUDGET,
      mostAtATime: MOST_OF_AN_EDGE_AT_A_TIME,
      clock,
      log: createLogger({ service: 'region-keyd', level: 'silent' }),
    });
  }

  /** The region as one of its edges sees it. */
  regionFor(edge: EdgeIdentity): ServiceKeySource {
    const take = (key: KRegion): KService => kService(key, edge.service);
    const keys = keysBelow({ held: this.#regionKeys, take, denialOf: () => undefined });
    const spiffeId = spiffeIdOf(edge);
    return {
      issue: async (request) => {
        this.#count(this.atRegion, request.accessKeyIds);
        await this.#pass(REGION_ANSWERS_AFTER_MS);
        if (this.isRegionDown) throw new KeydError('parent-unavailable');
        try {
          return await this.#budget.run(spiffeId, request.accessKeyIds.length, () => keys.issue(request));
        } catch (error) {
          if (error instanceof KeydError && error.code === 'too-many-requests') this.overBudget += 1;
          throw error;
        }
      },
    };
  }

  /** The beat, or a long poll that waits in vain: there is no news. */
  async askForFeed(waitSeconds: number): Promise<undefined> {
    this.feed.add(this.#clock.now());
    await this.#pass(REGION_ANSWERS_AFTER_MS);
    if (this.isRegionDown) throw new KeydError('parent-unavailable');
    if (waitSeconds > 0) await this.#pass(waitSeconds * 1000);
    return undefined;
  }

  #master(): RegionKeySource {
    return {
      issue: async ({ date, accessKeyIds }) => {
        this.#count(this.atMaster, accessKeyIds);
        this.#underWay += 1;
        this.mostAtMaster = Math.max(this.mostAtMaster, this.#underWay);
        await this.#pass(MASTER_ANSWERS_AFTER_MS);
        this.#underWay -= 1;
        if (this.isMasterDown) throw new KeydError('parent-unavailable');
        const issued = new Map<string, IssuedKey<KRegion>>();
        for (const accessKeyId of accessKeyIds) {
          const facts = { accessKeyId, version: 1, createdAt: 0 };
          issued.set(accessKeyId, { facts, key: kRegion(kDate(kSecret(`secret of ${accessKeyId}`), date), REGION) });
        }
        return { issued, absent: new Map() };
      },
    };
  }

  #count({ requests, keys }: Load, accessKeyIds: readonly string[]): void {
    requests.add(this.#clock.now());
    keys.add(this.#clock.now(), accessKeyIds.length);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }
}
