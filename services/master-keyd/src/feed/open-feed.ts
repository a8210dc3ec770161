import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { FeedKey } from '@sigv4-keyd/revocation';
import type { Pool } from 'pg';
import type { Configuration } from '../configuration.js';
import type { DatabaseHosts } from '../database/database-hosts.js';
import { BehindPeers } from './behind-peers.js';
import { openFeedKeys } from './feed-keys.js';
import { FeedPublisher } from './feed-publisher.js';
import { IdentityBans } from './identity-bans.js';
import { Lifts } from './lifts.js';
import { MasterFeed } from './master-feed.js';
import type { PublishingRule } from './published-feed.js';
import type { ResumptionOptions } from './resume-after-restore.js';
import { Revocations } from './revocations.js';

/** All that master-keyd does about the feed. */
export interface FeedParts {
  /** Signs revocations and session tokens, and attests public keys. */
  readonly attestingKey: FeedKey;
  readonly feed: MasterFeed;
  readonly publisher: FeedPublisher;
  readonly revocations: Revocations;
  readonly lifts: Lifts;
  readonly bans: IdentityBans;
  readonly resumption: ResumptionOptions;
}

export interface FeedContext {
  readonly pool: Pool;
  /** For the connection that lives as long as the publisher's lock. */
  readonly hosts: DatabaseHosts;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Throws StartError for keys that cannot be used. */
export async function openFeed(
  configuration: Configuration,
  { pool, hosts, clock, log }: FeedContext,
): Promise<FeedParts> {
  const { trustDomain, beaconEvery, beaconLife, longestPresigned, clockSkew } = configuration;
  const keys = await openFeedKeys(configuration);
  const retention = { longestPresignedSeconds: longestPresigned, clockSkewSeconds: clockSkew };
  const rule: PublishingRule = { keys, retention, beaconLifeSeconds: beaconLife };
  const now = (): number => clock.now();
  const behindPeers = new BehindPeers({ pool, keys: keys.pinned, log });
  const feed = new MasterFeed({ pool, rule, now, log, behindPeers });
  return {
    attestingKey: keys.revocation,
    feed,
    publisher: new FeedPublisher({ feed, hosts, clock, log, beaconEverySeconds: beaconEvery }),
    revocations: new Revocations({ pool, feed, rule, now }),
    lifts: new Lifts({ feed, keys: keys.pinned, now }),
    bans: new IdentityBans({ pool, feed, trustDomain, now }),
    resumption: { feed, rule, now },
  };
}
