import { FEED_PATH, feedQuery, spiffeIdOf, type Cancel, type Clock, type Role } from '@sigv4-keyd/hop-protocol';
import { FeedWaiters } from './feed-waiters.js';
import type { MtlsApp } from './mtls-app.js';

/** A feed document as it is held to be served: the bytes that were signed, and what they are asked for by. */
export interface ServedFeed {
  readonly version: number;
  /** The set that the beacon names. */
  readonly setHash: string;
  /** Compact JWS. */
  readonly beacon: string;
  /** Compact JWS each: exactly the set that the beacon names. */
  readonly statements: readonly string[];
}

/** Where the newest document is found, and who tells that there is a newer one. */
export interface FeedBoard {
  /** A new object for each document. Undefined: there is none that may be served. */
  readonly newest: ServedFeed | undefined;
  /** Calls `listener` whenever `newest` has changed. */
  onNews(listener: () => void): Cancel;
}

export interface FeedRouteOptions {
  readonly board: FeedBoard;
  readonly clock: Clock;
  readonly roles: readonly Role[];
  /** How many requests may wait for news at a time. */
  readonly mostWaiting?: number;
}

const MOST_WAITING = 25_000;
/** A tier asks with one long poll and one beat; some more may linger on connections that broke. */
const MOST_WAITING_OF_ONE = 8;

/**
 * GET /v1/feed: the next document as soon as it is there, or 204 when the wait is over; without a wait, the present
 * one, new or not.
 */
export function feedRoute(app: MtlsApp, { board, clock, roles, mostWaiting = MOST_WAITING }: FeedRouteOptions): void {
  const waiters = new FeedWaiters({ clock, most: mostWaiting, mostOfOne: MOST_WAITING_OF_ONE });
  const documentOf = writtenOnce();
  const cancel = board.onNews(() => waiters.wakeAll());
  app.addHook('preClose', (done) => {
    cancel();
    waiters.stop();
    done();
  });
  app.get(FEED_PATH, { config: { mtls: { roles } }, schema: { querystring: feedQuery } }, async (request, reply) => {
    const { version, set, wait } = request.query;
    const hasNews = (): boolean => board.newest !== undefined && board.newest.version > version;
    if (wait > 0 && !hasNews()) {
      const onGone = (gone: () => void): void => void reply.raw.once('close', gone);
      await waiters.wait({ spiffeId: spiffeIdOf(request.peer), ms: wait * 1000, onGone });
    }
    const { newest } = board;
    if (newest === undefined || (wait > 0 && !hasNews())) return reply.code(204).send();
    return reply.type('application/json').send(set === newest.setHash ? beaconOf(newest) : documentOf(newest));
  });
}

/** Writes a document when it is first asked for; everyone else who is woken by it gets the same text. */
function writtenOnce(): (served: ServedFeed) => string {
  const written = new WeakMap<ServedFeed, string>();
  return (served) => {
    const known = written.get(served);
    if (known !== undefined) return known;
    const text = JSON.stringify({ beacon: served.beacon, statements: served.statements });
    written.set(served, text);
    return text;
  };
}

function beaconOf({ beacon }: ServedFeed): string {
  return JSON.stringify({ beacon });
}
