import { MOST_FEED_BYTES, parseFeedDocument } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import { FEED_PATH } from '../feed-api.js';
import type { PeerClient } from '../peer-client.js';
import type { FeedSource } from './feed-source.js';

/** How much later than asked for an answer may begin, milliseconds. */
const GRACE_MS = 5_000;
/** A whole document over a slow line; the follower has deadlines of its own. */
const LONGEST_TRANSFER_MS = 60_000;

/** The feed as the tier above relays it. `parent` asks one peer alone: what each of several says is judged apart. */
export function mtlsFeedSource(name: string, parent: PeerClient): FeedSource {
  return {
    name,
    waits: true,
    async fetch({ version, setHash }, waitSeconds, signal) {
      const query = new URLSearchParams({ version: String(version), wait: String(waitSeconds) });
      if (setHash !== undefined) query.set('set', setHash);
      const answer = await parent.call({
        method: 'GET',
        path: `${FEED_PATH}?${query.toString()}`,
        answer: z.unknown(),
        signal,
        timeoutMs: waitSeconds * 1000 + GRACE_MS,
        withinMs: waitSeconds * 1000 + LONGEST_TRANSFER_MS,
        mostBytes: MOST_FEED_BYTES,
      });
      return answer === undefined ? undefined : parseFeedDocument(answer);
    },
  };
}
