import { createHash } from 'node:crypto';
import {
  createFeedKey,
  intoPages,
  nameSet,
  pinFeedKeys,
  publicJwks,
  signAccessKeyPage,
  signBeacon,
  type AccessKeyChange,
  type FeedDocument,
  type FeedKey,
  type PinnedKeys,
} from '@sigv4-keyd/revocation';
import { addDays, DAY_MS, scopeDateOf } from '@sigv4-keyd/sigv4-core';

/** Documents as a master signs them, of changes that nobody made. */
export class MadeUpFeed {
  readonly pinned: PinnedKeys;
  readonly #revocation: FeedKey;
  readonly #beacon: FeedKey;
  readonly #now: number;
  #version = 0;

  private constructor(pinned: PinnedKeys, revocation: FeedKey, beacon: FeedKey, now: number) {
    this.pinned = pinned;
    this.#revocation = revocation;
    this.#beacon = beacon;
    this.#now = now;
  }

  static async create(now: number): Promise<MadeUpFeed> {
    const [revocation, beacon, root] = await Promise.all([
      createFeedKey('revocation'),
      createFeedKey('beacon'),
      createFeedKey('root'),
    ]);
    return new MadeUpFeed(await pinFeedKeys(publicJwks([revocation, beacon, root])), revocation, beacon, now);
  }

  pagesOf(changes: readonly AccessKeyChange[]): Promise<readonly string[]> {
    const at = new Date(this.#now).toISOString();
    const to = addDays(scopeDateOf(this.#now), 1);
    return Promise.all(
      intoPages(changes).map((page) => signAccessKeyPage({ to, changes: page, at }, this.#revocation)),
    );
  }

  async documentOf(statements: readonly string[]): Promise<FeedDocument> {
    this.#version += 1;
    const times = { at: new Date(this.#now).toISOString(), expires: new Date(this.#now + DAY_MS).toISOString() };
    const content = { version: this.#version, ...nameSet(statements), banned: [], ...times };
    return { beacon: await signBeacon(content, this.#beacon), statements };
  }
}

/** With an id as the master makes them: 16 letters and digits by chance. */
export function madeUpChange(index: number, change: number): AccessKeyChange {
  const letters = createHash('sha256').update(String(index)).digest('hex').slice(0, 16).toUpperCase();
  return { accessKeyId: `AKIA${letters}`, change, status: 'disabled', secretVersion: 1 };
}
