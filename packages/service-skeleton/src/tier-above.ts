import type { Tracer } from '@opentelemetry/api';
import { createMtlsAgent, type CredentialsStore, type MtlsAgent, type SpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  mtlsFeedSource,
  ParentHealth,
  PeerClient,
  PeerStreams,
  READY_PATH,
  type Clock,
  type FeedSource,
  type ParentStatus,
} from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import type { Logger } from './logging.js';

export interface TierAboveOptions {
  readonly credentials: CredentialsStore;
  /** Which servers of our own trust domain may be asked. */
  readonly acceptsServer: (id: SpiffeId) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** Rings the ends of waits for the network. Absent: the system's clock. */
  readonly timer: Clock | undefined;
  /** Absent: that of the program, if it has one. */
  readonly tracer: Tracer | undefined;
}

/** One lost packet is made up for by then; a host that is gone without a word costs no more. */
const CONNECT_WITHIN_MS = 3_000;
/** An idle connection may have broken unnoticed: none is used again after this. */
const IDLE_FOR_MS = 30_000;
const PROBE_WITHIN_MS = 2_000;

/** The parents of a service: one set of connections, and one memory of who is well, for all who ask them anything. */
export class TierAbove {
  readonly agent: MtlsAgent;
  /** Asks the nearest that is well. */
  readonly client: PeerClient;
  /** Streams from the nearest that is well. */
  readonly streams: PeerStreams;
  /** The feed as each of them relays it: one that can be reached is enough, and what each says is judged apart. */
  readonly feedSources: readonly FeedSource[];
  readonly #health: ParentHealth;
  readonly #options: TierAboveOptions;

  /** `urls`: nearest first. */
  constructor(urls: readonly URL[], options: TierAboveOptions) {
    const { credentials, acceptsServer, clock, random, timer, tracer } = options;
    this.#options = options;
    this.agent = createMtlsAgent({
      credentials,
      acceptsServer,
      connectTimeoutMilliseconds: CONNECT_WITHIN_MS,
      timer,
      pool: { keepAliveMaxTimeout: IDLE_FOR_MS },
    });
    this.#health = new ParentHealth({
      urls,
      clock,
      random,
      probe: (url, signal) => this.#probe(url, signal),
      onChange: (url, failure) => this.#tell(url, failure),
    });
    this.client = this.#clientOf(urls);
    this.streams = new PeerStreams({ urls, dispatcher: this.agent, health: this.#health, clock, tracer });
    this.feedSources = urls.map((url) => mtlsFeedSource(url.host, this.#clientOf([url])));
  }

  /** Whether any of them is well, as far as is known without asking. */
  get isWell(): boolean {
    return this.#health.status.some(({ isHealthy }) => isHealthy);
  }

  status(): readonly ParentStatus[] {
    return this.#health.status;
  }

  /** Waits for the requests under way. */
  async close(): Promise<void> {
    this.#health.close();
    await this.agent.close();
  }

  /** Ends every connection, whatever is under way. */
  async abandon(): Promise<void> {
    this.#health.close();
    await this.agent.destroy();
  }

  #clientOf(urls: readonly URL[]): PeerClient {
    const { clock, random, timer, tracer } = this.#options;
    const given = { urls, dispatcher: this.agent, health: this.#health, clock, random, tracer };
    return new PeerClient({ ...given, ...(timer && { timer }) });
  }

  async #probe(url: URL, signal: AbortSignal): Promise<void> {
    // Without the memory, which the probe is to change.
    const { timer } = this.#options;
    const client = new PeerClient({ urls: [url], dispatcher: this.agent, ...(timer && { timer }) });
    await client.call({ method: 'GET', path: READY_PATH, answer: z.undefined(), signal, withinMs: PROBE_WITHIN_MS });
  }

  #tell(url: URL, failure: unknown): void {
    const { log } = this.#options;
    const parent = url.host;
    if (failure === undefined) log.info({ event: 'parent-well', parent }, 'this parent is well again');
    else log.warn({ event: 'parent-put-aside', parent, err: failure }, 'this parent is put aside; the next is asked');
  }
}
