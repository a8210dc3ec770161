import { access } from 'node:fs/promises';
import { createFeedKeys, feedKeysFolder } from '@sigv4-keyd/keydctl';
import type { StateFolder } from './state-folder.js';

/** The keys of the feed, made once: what is signed with others is refused by tiers that remember these. */
export async function ensureFeedKeys(state: StateFolder): Promise<void> {
  // The file of public keys is placed last: with it, all are there.
  const isThere = await access(feedKeysFolder(state.feedKeys).public).then(
    () => true,
    () => false,
  );
  if (!isThere) await createFeedKeys(state.feedKeys);
}
