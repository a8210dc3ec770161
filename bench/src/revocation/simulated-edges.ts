import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMtlsAgent, CredentialsStore, type MtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { FeedFollower, mtlsFeedSource, PeerClient, systemClock, type FeedStorage } from '@sigv4-keyd/hop-protocol';
import type { RunningFacts } from '@sigv4-keyd/local-stack';
import { openAuthority } from '@sigv4-keyd/pki';
import { pinFeedKeys } from '@sigv4-keyd/revocation';

const RULE = { longestPresignedSeconds: 7 * 86_400, clockSkewSeconds: 900 };
const NOWHERE: FeedStorage = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
  setAside: () => Promise.resolve(''),
};
const CONNECTED_AT_ONCE = 50;

/** Edges as far as the feed goes: each with a connection, a follower and pinned keys of its own. */
export class SimulatedEdges {
  readonly #followers: readonly FeedFollower[];
  readonly #agents: readonly MtlsAgent[];

  private constructor(followers: readonly FeedFollower[], agents: readonly MtlsAgent[]) {
    this.#followers = followers;
    this.#agents = agents;
  }

  /** All of one region of the stack. Resolves when every edge has a beacon. */
  static async connect(facts: RunningFacts, region: string, count: number): Promise<SimulatedEdges> {
    const authority = await openAuthority({ folder: join(facts.dir, 'pki', 'ca') });
    const url = facts.regions.find((one) => one.region === region)?.url ?? '';
    const keys = await pinFeedKeys(JSON.parse(readFileSync(join(facts.dir, 'feed-keys', 'feed-keys.json'), 'utf8')));
    const followers: FeedFollower[] = [];
    const agents: MtlsAgent[] = [];
    for (let edge = 0; edge < count; edge += 1) {
      const spiffeId = `spiffe://${authority.trustDomain}/edge/${region}/s3/bench-${edge}`;
      const folder = join(facts.dir, 'bench', String(edge));
      const credentials = await CredentialsStore.open(await authority.issue({ spiffeId, folder, now: Date.now() }));
      const dispatcher = createMtlsAgent({ credentials, acceptsServer: ({ segments }) => segments[0] === 'region' });
      const peer = new PeerClient({ urls: [new URL(url)], dispatcher });
      const follower = await FeedFollower.open({
        sources: [mtlsFeedSource(url, peer)],
        keys,
        rule: RULE,
        storage: NOWHERE,
        clock: systemClock,
        random: Math.random,
        log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      });
      followers.push(follower);
      agents.push(dispatcher);
      const connected = new Promise<void>((resolve) => follower.subscribe({ onBeacon: () => resolve() }));
      follower.start();
      // A thousand handshakes at once would measure the handshakes.
      if (edge % CONNECTED_AT_ONCE === 0) await connected;
    }
    return new SimulatedEdges(followers, agents);
  }

  /** Resolves to the moments (performance.now) at which each edge took the next statement. */
  nextStatement(): Promise<readonly number[]> {
    return Promise.all(
      this.#followers.map(
        (follower) =>
          new Promise<number>((resolve) => {
            const stop = follower.subscribe({
              onStatements: () => {
                stop();
                resolve(performance.now());
              },
            });
          }),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.close()));
    await Promise.all(this.#agents.map((agent) => agent.destroy()));
  }
}
