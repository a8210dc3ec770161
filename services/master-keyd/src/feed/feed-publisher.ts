import { every, type Cancel, type Clock } from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { DatabaseHosts } from '../database/database-hosts.js';
import { FeedConnection } from './feed-connection.js';
import type { MasterFeed } from './master-feed.js';

export interface FeedPublisherOptions {
  readonly feed: MasterFeed;
  readonly hosts: DatabaseHosts;
  readonly clock: Clock;
  readonly log: Logger;
  readonly beaconEverySeconds: number;
}

/**
 * The beat of the feed. One of the masters signs a beacon on each beat, whether or not anything has changed; the others
 * take over what was published, at once when they are told and on the beat in any case.
 */
export class FeedPublisher {
  readonly #options: FeedPublisherOptions;
  readonly #connection: FeedConnection;
  /** One at a time, so that stopping can wait for the last. */
  #work: Promise<void> = Promise.resolve();
  #isRefreshAsked = false;
  #isFailing = false;
  #isStopped = false;

  constructor(options: FeedPublisherOptions) {
    this.#options = options;
    const { hosts, log } = options;
    this.#connection = new FeedConnection({ hosts, log, onNews: () => this.#refreshSoon() });
  }

  get isPublisher(): boolean {
    return this.#connection.isPublisher;
  }

  /** Never rejects: a database that is down is told once, not on every beat. */
  beat(): Promise<void> {
    return this.#enqueue(async () => {
      const { feed } = this.#options;
      if ((await this.#connection.ensure()) === 'new') feed.distrustMemory();
      await feed.compareWithPeers();
      if (feed.leftBehind) return;
      if (this.isPublisher) await feed.publish(() => Promise.resolve());
      else await feed.refresh();
    });
  }

  /** Returns the end of it, which waits for what is under way. */
  start(): () => Promise<void> {
    const { clock, beaconEverySeconds } = this.#options;
    const cancel: Cancel = every(clock, beaconEverySeconds * 1000, () => this.beat());
    return async () => {
      cancel();
      this.#isStopped = true;
      await this.#work;
      await this.#connection.close();
    };
  }

  #refreshSoon(): void {
    if (this.#isRefreshAsked) return;
    this.#isRefreshAsked = true;
    void this.#enqueue(() => {
      // Cleared before reading: what is published during the read asks again.
      this.#isRefreshAsked = false;
      return this.#options.feed.refresh();
    });
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(() => this.#run(task));
    return this.#work;
  }

  async #run(task: () => Promise<void>): Promise<void> {
    if (this.#isStopped) return;
    const { log } = this.#options;
    try {
      await task();
      if (this.#isFailing) log.info('the feed goes on');
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) log.error({ err: error }, 'the feed does not go on; the next beat tries again');
      this.#isFailing = true;
    }
  }
}
