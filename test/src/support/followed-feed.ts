import { feedGuard, type ScopeGuard } from '@sigv4-keyd/edge-keys';
import { DEFAULT_HORIZONS, FeedFollower, type EdgeIdentity } from '@sigv4-keyd/hop-protocol';
import type { Test } from 'tap';
import { RULE } from '../revocation/publisher.js';
import { TestFeed } from './test-feed.js';
import { until } from './victim.js';
import { VirtualClock } from './virtual-clock.js';

export interface FollowedFeed {
  /** Publishing returns when the news was followed. */
  readonly feed: TestFeed;
  /** What an edge of s3 in eu-west-1 makes of it. */
  readonly guard: ScopeGuard;
}

const OWN: EdgeIdentity = {
  role: 'edge',
  trustDomain: 'keyd.example',
  region: 'eu-west-1',
  service: 's3',
  name: 'edge-1',
};

/** A feed that is published, and an edge's follower of it; closed when the test ends. */
export async function followFeed(t: Test, now: number): Promise<FollowedFeed> {
  const clock = new VirtualClock(now);
  const feed = await TestFeed.create(clock);
  await feed.publish();
  const follower = await FeedFollower.open({
    sources: [{ name: 'test', waits: false, fetch: (held) => Promise.resolve(newerThan(feed, held.version)) }],
    keys: feed.keys.pinned,
    rule: RULE,
    storage: {
      load: () => Promise.resolve(undefined),
      save: () => Promise.resolve(),
      setAside: () => Promise.resolve(''),
    },
    clock,
    random: () => 0.5,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  follower.start();
  t.teardown(() => follower.close());
  await until(() => follower.status.version !== undefined);
  const publish = feed.publish.bind(feed);
  feed.publish = async () => {
    const served = await publish();
    await clock.advance(5_000);
    await until(() => follower.status.version === served.version);
    return served;
  };
  return { feed, guard: feedGuard(follower, OWN, { horizons: DEFAULT_HORIZONS, clock }) };
}

function newerThan({ newest }: TestFeed, version: number) {
  return newest && newest.version > version ? { beacon: newest.beacon, statements: newest.statements } : undefined;
}
