import {
  FeedError,
  FeedFollower,
  pinFeedKeys,
  type Clock,
  type FeedSource,
  type PinnedKeys,
} from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { feedStateFile } from './feed-state-file.js';
import type { Logger } from './logging.js';
import { StartError } from './start-error.js';

/** The public keys that everything of the feed is checked against: the content of a JWKS file. */
export const feedKeys = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      const message = 'must be a JWKS, as keydctl feed-keys makes it';
      context.issues.push({ code: 'custom', input: undefined, message });
      return z.NEVER;
    }
  })
  .describe('Pinned public keys of the feed: a JWKS; normally given by KEYD_FEED_KEYS_FILE');

export interface FollowedFeedSettings {
  readonly feedKeys: unknown;
  readonly stateFolder: string;
  readonly longestPresigned: number;
  readonly clockSkew: number;
}

/**
 * Takes up the feed where the last run left it; nothing is asked before its `start`.
 * @throws StartError
 */
export async function openFollowedFeed(
  settings: FollowedFeedSettings,
  sources: readonly FeedSource[],
  context: { readonly clock: Clock; readonly log: Logger; readonly random: () => number },
): Promise<FeedFollower> {
  return FeedFollower.open({
    ...context,
    sources,
    keys: await pinned(settings.feedKeys),
    rule: { longestPresignedSeconds: settings.longestPresigned, clockSkewSeconds: settings.clockSkew },
    storage: feedStateFile(settings.stateFolder),
  });
}

async function pinned(jwks: unknown): Promise<PinnedKeys> {
  try {
    return await pinFeedKeys(jwks);
  } catch (error) {
    if (error instanceof FeedError) throw new StartError(`KEYD_FEED_KEYS: ${error.message}`, 78, error);
    throw error;
  }
}
