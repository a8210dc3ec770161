import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { createMtlsAgent, CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  FeedFollower,
  mtlsFeedSource,
  PeerClient,
  systemClock,
  type FeedLog,
  type FeedSource,
  type FeedStorage,
} from '@sigv4-keyd/hop-protocol';
import { pinFeedKeys, type PinnedKeys } from '@sigv4-keyd/revocation';
import { monotonicMs } from '../monotonic.js';
import { crowdQuestion, EDGES_OF_AN_IDENTITY, type CrowdAnswer, type CrowdOptions } from './crowd-messages.js';
import { FeedConnection } from './feed-connection.js';
import { feedReader, TrustingEdge, type TrustingEdgeOptions } from './trusting-edge.js';

/**
 * Edges as far as the feed goes, each with a long poll of its own over mutual TLS, and its beat. Those that share an
 * identity share a connection for the beat.
 */
const RULE = { longestPresignedSeconds: 7 * 86_400, clockSkewSeconds: 900 };
const NOWHERE: FeedStorage = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
  setAside: () => Promise.resolve(''),
};
const QUIET: FeedLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const CONNECTED_AT_ONCE = 50;

type Files = CrowdOptions['identities'][number];

let edges = 0;
let taken: number[] = [];

const tell = (answer: CrowdAnswer): void => void process.send?.(answer);
const onStatements = (): void => {
  taken.push(monotonicMs());
  if (taken.length === edges) tell({ is: 'taken', at: taken });
};

process.on('message', (message) => {
  const question = crowdQuestion.parse(message);
  if (question.is === 'connect') {
    void connect(question.options);
    return;
  }
  taken = [];
  tell({ is: 'watching' });
});
// Whoever started it is gone, or has seen enough: so is the whole crowd.
process.once('disconnect', () => process.exit());

async function connect(options: CrowdOptions): Promise<void> {
  edges = options.edges;
  const url = new URL(options.region);
  const keys = await pinFeedKeys(JSON.parse(readFileSync(options.feedKeysFile, 'utf8')));
  const read = feedReader();
  const ofOneIdentity = Math.ceil(edges / options.identities.length);
  let connecting: Promise<void>[] = [];
  for (let n = 0; n < edges; n += ofOneIdentity) {
    const files = options.identities[n / ofOneIdentity];
    if (!files) throw new Error('there are fewer identities than the edges need');
    const [verifying, all] = [Math.min(options.verifying, edges) - n, Math.min(ofOneIdentity, edges - n)];
    const source = verifying > 0 ? await sourceOf(files, url) : undefined;
    const secureContext = createSecureContext(contentsOf(files));
    const beat = new FeedConnection({ url, secureContext });
    for (let edge = 0; edge < all; edge += 1) {
      const poll = new FeedConnection({ url, secureContext });
      const isVerifying = source !== undefined && edge < verifying;
      connecting.push(isVerifying ? startVerifying(source, keys) : startTrusting({ poll, beat }, read));
    }
    if (connecting.length < CONNECTED_AT_ONCE) continue;
    await Promise.all(connecting);
    connecting = [];
    tell({ is: 'connecting', edges: n + all });
  }
  await Promise.all(connecting);
  tell({ is: 'connected' });
}

async function sourceOf(files: Files, region: URL): Promise<FeedSource> {
  const dispatcher = createMtlsAgent({
    credentials: await CredentialsStore.open(files),
    acceptsServer: ({ segments }) => segments[0] === 'region',
    connectTimeoutMilliseconds: 60_000,
    pool: { connections: EDGES_OF_AN_IDENTITY + 1 },
  });
  return mtlsFeedSource('region', new PeerClient({ urls: [region], dispatcher }));
}

async function startVerifying(source: FeedSource, keys: PinnedKeys): Promise<void> {
  const follower = await FeedFollower.open({
    ...{ sources: [source], keys, rule: RULE, storage: NOWHERE },
    ...{ clock: systemClock, random: Math.random, log: QUIET },
  });
  await new Promise<void>((resolve) => {
    follower.subscribe({ onBeacon: () => resolve(), onStatements });
    follower.start();
  });
}

async function startTrusting(
  connections: TrustingEdgeOptions['connections'],
  read: TrustingEdgeOptions['read'],
): Promise<void> {
  const edge = new TrustingEdge({ connections, read, phase: Math.random(), onStatements });
  // What fails ends the whole crowd: fewer edges than are told would be measured.
  void (await edge.start()).failed;
}

function contentsOf({ cert, key, ca }: Files): { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) };
}
