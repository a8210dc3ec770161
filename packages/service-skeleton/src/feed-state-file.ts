import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MOST_FEED_BYTES, type FeedStorage } from '@sigv4-keyd/hop-protocol';
import { placeFile } from './durable-files.js';

const NAME = 'feed-state.json';
const UNFINISHED = 'feed-state.unfinished';
/** What a beacon names and what none names yet, each at its largest. */
const MOST_BYTES = 2 * MOST_FEED_BYTES;

/** The state of the feed as a file, 0600, in a folder that no other process writes to. */
export function feedStateFile(folder: string): FeedStorage {
  const path = join(folder, NAME);
  return {
    async load() {
      try {
        const { size } = await stat(path);
        if (size > MOST_BYTES) throw new Error(`${NAME} is larger than any feed state: ${size} bytes`);
        return await readFile(path, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    save: (text) => placeFile(folder, NAME, UNFINISHED, text),
    async setAside(now) {
      const aside = join(folder, `feed-state.refused-${new Date(now).toISOString().replaceAll(':', '')}.json`);
      await rename(path, aside);
      return aside;
    },
  };
}
