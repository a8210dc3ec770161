import { readFileSync } from 'node:fs';
import { createMtlsAgent, CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  FeedFollower,
  FollowedSource,
  mtlsFeedSource,
  PeerClient,
  systemClock,
  type FeedLog,
  type FeedSource,
  type FeedStorage,
} from '@sigv4-keyd/hop-protocol';
import { pinFeedKeys } from '@sigv4-keyd/revocation';
import { monotonicMs } from '../monotonic.js';
import { crowdOptions, type CrowdAnswer } from './crowd-messages.js';
import { TrustingJudge } from './trusting-judge.js';

/**
 * Edges as far as the feed goes, each with a long poll of its own over mutual TLS, and its beat. Those that share an
 * identity share a connection for the beat, as long as they do not ask at the same time.
 */
const RULE = { longestPresignedSeconds: 7 * 86_400, clockSkewSeconds: 900 };
const NOWHERE: FeedStorage = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
  setAside: () => Promise.resolve(''),
};
const QUIET: FeedLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const CONNECTED_AT_ONCE = 50;

const options = crowdOptions.parse(JSON.parse(process.argv[2] ?? ''));
const keys = await pinFeedKeys(JSON.parse(readFileSync(options.feedKeysFile, 'utf8')));
const ofOneIdentity = Math.ceil(options.edges / options.identities.length);
let taken: number[] = [];

const tell = (answer: CrowdAnswer): void => void process.send?.(answer);
const onStatements = (): void => {
  taken.push(monotonicMs());
  if (taken.length === options.edges) tell({ is: 'taken', at: taken });
};

process.on('message', () => {
  taken = [];
  tell({ is: 'watching' });
});
// Whoever started it is gone, or has seen enough: so is the whole crowd.
process.once('disconnect', () => process.exit());

const connected: Promise<void>[] = [];
for (const identity of options.identities) {
  const dispatcher = createMtlsAgent({
    credentials: await CredentialsStore.open(identity),
    acceptsServer: ({ segments }) => segments[0] === 'region',
    connectTimeoutMilliseconds: 60_000,
    pool: { connections: ofOneIdentity + 1 },
  });
  const source = mtlsFeedSource('region', new PeerClient({ urls: [new URL(options.region)], dispatcher }));
  for (let n = 0; n < ofOneIdentity && connected.length < options.edges; n += 1) {
    const isVerifying = connected.length < options.verifying;
    connected.push(isVerifying ? startVerifying(source) : startTrusting(source));
    if (connected.length % CONNECTED_AT_ONCE === 0) await Promise.all(connected);
  }
}
await Promise.all(connected);
tell({ is: 'connected' });

async function startVerifying(source: FeedSource): Promise<void> {
  const follower = await FeedFollower.open({
    ...{ sources: [source], keys, rule: RULE, storage: NOWHERE },
    ...{ clock: systemClock, random: Math.random, log: QUIET },
  });
  await new Promise<void>((resolve) => {
    follower.subscribe({ onBeacon: () => resolve(), onStatements });
    follower.start();
  });
}

function startTrusting(source: FeedSource): Promise<void> {
  return new Promise((resolve) => {
    const judge = new TrustingJudge({ beacon: resolve, statements: onStatements });
    new FollowedSource({
      ...{ source, clock: systemClock, random: Math.random, log: QUIET },
      held: () => judge.held(),
      take: (document) => Promise.resolve(judge.take(document)),
    }).start();
  });
}
