import {
  identityOf,
  mtlsKeySource,
  REGION_KEYS,
  spiffeIdOf,
  type FeedFollower,
  type FeedSource,
  type ParentStatus,
  type RegionIdentity,
  type RegionKeySource,
} from '@sigv4-keyd/hop-protocol';
import { TierAbove, type TierAboveOptions } from '@sigv4-keyd/service-skeleton';

export type DeputiesOptions = Omit<TierAboveOptions, 'acceptsServer'> & { readonly own: RegionIdentity };

/**
 * The deputies that stand in for the masters: for keys and the feed, and for nothing else. Only a certificate of the
 * role deputy is one, and none that is banned.
 */
export class Deputies {
  readonly #urls: readonly URL[];
  readonly #options: DeputiesOptions;
  #tier: TierAbove;
  #banned: ReadonlySet<string> = new Set();

  /** `urls`: nearest first. */
  constructor(urls: readonly URL[], options: DeputiesOptions) {
    this.#urls = urls;
    this.#options = options;
    this.#tier = this.#open();
  }

  /** kRegion of our own region. */
  get keys(): RegionKeySource {
    const { region } = this.#options.own;
    return {
      issue: (request, requestId) =>
        mtlsKeySource(REGION_KEYS, { region }, this.#tier.client).issue(request, requestId),
    };
  }

  /** Whether one has answered and is well. */
  get isReachable(): boolean {
    return this.status().some(({ isHealthy, answeredAt }) => isHealthy && answeredAt !== undefined);
  }

  /** The feed as each of them relays it. */
  get feedSources(): readonly FeedSource[] {
    return this.#tier.feedSources.map(({ name, waits }, place) => ({
      name,
      waits,
      // Of the connections of the moment.
      fetch: async (...question) => this.#tier.feedSources[place]?.fetch(...question),
    }));
  }

  status(): readonly ParentStatus[] {
    return this.#tier.status();
  }

  /** From now on a deputy that comes to be banned is left at once, whatever is under way. */
  obey(feed: FeedFollower): void {
    this.#ban(feed.state.beacon?.banned ?? []);
    feed.subscribe({ onBeacon: ({ banned }) => this.#ban(banned) });
  }

  /** Waits for the requests under way. */
  close(): Promise<void> {
    return this.#tier.close();
  }

  #ban(banned: readonly string[]): void {
    const added = banned.filter((spiffeId) => !this.#banned.has(spiffeId));
    this.#banned = new Set(banned);
    if (!added.some((spiffeId) => spiffeId.includes('/deputy/'))) return;
    const left = this.#tier;
    this.#tier = this.#open();
    void left.abandon();
  }

  #open(): TierAbove {
    const { trustDomain } = this.#options.own;
    return new TierAbove(this.#urls, {
      ...this.#options,
      acceptsServer: (id) => {
        const server = identityOf(id);
        if (server?.role !== 'deputy' || server.trustDomain !== trustDomain) return false;
        return !this.#banned.has(spiffeIdOf(server));
      },
    });
  }
}
