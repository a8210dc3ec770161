import { spiffeIdOf, type Cancel, type FeedFollower, type Identity } from '@sigv4-keyd/hop-protocol';
import type { Logger } from './logging.js';
import type { MtlsApp } from './mtls-app.js';

/** Who the newest beacon shuts out. A beacon names all of them, so that an older one is never needed. */
export class Bans {
  readonly #feed: FeedFollower;
  #banned: ReadonlySet<string>;

  constructor(feed: FeedFollower) {
    this.#feed = feed;
    this.#banned = new Set(feed.state.beacon?.banned);
  }

  /** Why an identity is not served, for the log; undefined when it is. */
  refusalFor(identity: Identity): string | undefined {
    return this.#banned.has(spiffeIdOf(identity)) ? 'banned by the newest beacon' : undefined;
  }

  /** Ends the live connections of whoever comes to be banned, from now on. */
  enforceOn(app: MtlsApp, log: Logger): Cancel {
    return this.#feed.subscribe({
      onBeacon: ({ banned }) => {
        const before = this.#banned;
        this.#banned = new Set(banned);
        const added = banned.filter((spiffeId) => !before.has(spiffeId));
        const lifted = [...before].filter((spiffeId) => !this.#banned.has(spiffeId));
        if (added.length === 0 && lifted.length === 0) return;
        const closed = app.closeConnectionsOf((peer) => this.#banned.has(spiffeIdOf(peer)));
        log.warn({ event: 'identities-banned', security: true, added, lifted, closed }, 'who is banned has changed');
      },
    });
  }
}
