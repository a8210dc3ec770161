import { FeedState, type PinnedKeys, type RetentionRule } from '@sigv4-keyd/revocation';
import type { Clock } from '../clock.js';
import type { FeedLog } from './feed-log.js';
import type { FeedStorage } from './feed-storage.js';

export interface RestoreOptions {
  readonly keys: PinnedKeys;
  readonly rule: RetentionRule;
  readonly storage: FeedStorage;
  readonly clock: Clock;
  readonly log: FeedLog;
}

/**
 * What was believed before the restart. A state that cannot be read or was tampered with is worth nothing: it is told,
 * set aside, and the feed starts empty, which is stale, which denies until a source has brought a whole document.
 */
export async function restoreFeedState({ keys, rule, storage, clock, log }: RestoreOptions): Promise<FeedState> {
  try {
    const text = await storage.load();
    if (text === undefined) return FeedState.empty(keys, rule);
    const { state, beacon } = await FeedState.restore(text, keys, rule);
    const line = {
      event: 'feed-restored',
      version: state.beacon?.version,
      statements: state.revocations.size,
      accessKeyChanges: state.accessKeys.size,
    };
    if (beacon === 'retired-key') log.warn(line, 'the key that signed the saved beacon is no longer pinned');
    else log.info(line, 'the feed goes on from its saved state');
    return state;
  } catch (error) {
    const aside = await storage.setAside(clock.now()).catch(() => undefined);
    const line = { event: 'feed-state-refused', security: true, err: error, ...(aside !== undefined && { aside }) };
    log.error(line, 'the saved feed state cannot be used; nothing is fresh until the feed is fetched');
    return FeedState.empty(keys, rule);
  }
}
