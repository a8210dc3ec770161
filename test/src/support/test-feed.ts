import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FeedState,
  publicJwks,
  type FeedDocument,
  type RevocationStatement,
  type SignedStatement,
} from '@sigv4-keyd/revocation';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { FeedBoard, ServedFeed } from '@sigv4-keyd/service-skeleton';
import { createFeedKeys, Publisher, RULE, type FeedKeys } from '../revocation/publisher.js';

/** The feed of a test: real keys, real signatures, published when the test says so. */
export class TestFeed implements FeedBoard {
  readonly keys: FeedKeys;
  readonly publisher: Publisher;
  /** The content of KEYD_FEED_KEYS. */
  readonly jwks: string;
  banned: readonly string[] = [];
  newest: ServedFeed | undefined;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #listeners = new Set<() => void>();

  private constructor(keys: FeedKeys, clock: Pick<Clock, 'now'>) {
    this.keys = keys;
    this.publisher = new Publisher(keys);
    this.jwks = JSON.stringify(publicJwks([keys.revocation, keys.beacon, keys.root]));
    this.#clock = clock;
  }

  static async create(clock: Clock): Promise<TestFeed> {
    return new TestFeed(await createFeedKeys(), clock);
  }

  /** Another feed of the same keys. */
  static with(keys: FeedKeys, clock: Pick<Clock, 'now'>): TestFeed {
    return new TestFeed(keys, clock);
  }

  onNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Signs the next beacon over all that was said so far, and serves it. */
  async publish(): Promise<ServedFeed> {
    const document = await this.document();
    this.newest = { ...document, version: this.publisher.version, setHash: setHashOf(document.beacon) };
    for (const listener of [...this.#listeners]) listener();
    return this.newest;
  }

  /** The next document, signed and not served. */
  async document(): Promise<FeedDocument & { readonly statements: readonly string[] }> {
    const statements = this.publisher.forms;
    const beacon = await this.publisher.beacon(this.#clock.now(), statements, { banned: this.banned.toSorted() });
    return { beacon, statements };
  }

  /** Signs a statement and publishes it. */
  async revoke(changes: Partial<RevocationStatement>): Promise<SignedStatement<RevocationStatement>> {
    const signed = await this.publisher.revoke(changes);
    await this.publish();
    return signed;
  }

  /** Changes access keys and publishes that. */
  async change(...changes: Parameters<Publisher['change']>[1][]): Promise<void> {
    await this.publisher.change(this.#clock.now(), ...changes);
    await this.publish();
  }

  async ban(...spiffeIds: readonly string[]): Promise<void> {
    this.banned = spiffeIds;
    await this.publish();
  }

  /** Leaves in a state folder what a service would have that accepted a document just now. */
  async seed(stateFolder: string): Promise<void> {
    const state = FeedState.empty(this.keys.pinned, RULE);
    await state.accept(await this.document(), this.#clock.now());
    writeFileSync(join(stateFolder, 'feed-state.json'), state.serialise(), { mode: 0o600 });
  }
}

function setHashOf(beacon: string): string {
  const [, payload = ''] = beacon.split('.');
  const content = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly setHash: string };
  return content.setHash;
}
