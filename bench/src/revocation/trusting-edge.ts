import { setTimeout as pause } from 'node:timers/promises';
import { FEED_BEAT_MS, FEED_PATH, LONGEST_FEED_WAIT_SECONDS, type HeldFeed } from '@sigv4-keyd/hop-protocol';
import { beacon } from '@sigv4-keyd/revocation';
import { z } from 'zod';
import type { FeedAnswer, FeedConnection } from './feed-connection.js';

/** What a connection that was lost costs: real edges wait likewise, so that they do not come back together. */
const LONGEST_PAUSE_MS = 1_000;
const MOST_FAILURES_IN_A_ROW = 60;

const document = z.object({ beacon: z.string() });

export interface TrustingEdgeOptions {
  /** For the long poll, and for the beat. */
  readonly connections: { readonly poll: FeedConnection; readonly beat: FeedConnection };
  readonly read: (body: string) => HeldFeed;
  /** From 0 to 1: when in the beat it asks first. */
  readonly phase: number;
  /** Told when the set of statements has become another. */
  readonly onStatements: () => void;
}

/**
 * Asks for the feed as an edge does, and takes every answer at its word. Thousands of edges verify on as many
 * processors, which one machine does not have; what verifying takes is measured at a real edge.
 */
export class TrustingEdge {
  readonly #options: TrustingEdgeOptions;
  #held: HeldFeed = { version: 0, setHash: undefined };

  constructor(options: TrustingEdgeOptions) {
    this.#options = options;
  }

  /** Resolves when it has a beacon. From then on it asks, until the region cannot be asked: then `failed` rejects. */
  async start(): Promise<{ readonly failed: Promise<never> }> {
    await this.#ask(this.#options.connections.beat, 0);
    return { failed: Promise.race([this.#poll(), this.#beat()]) };
  }

  async #poll(): Promise<never> {
    for (;;) await this.#ask(this.#options.connections.poll, LONGEST_FEED_WAIT_SECONDS);
  }

  async #beat(): Promise<never> {
    await pause(this.#options.phase * FEED_BEAT_MS);
    for (;;) {
      const next = performance.now() + FEED_BEAT_MS;
      await this.#ask(this.#options.connections.beat, 0);
      await pause(Math.max(0, next - performance.now()));
    }
  }

  async #ask(connection: FeedConnection, waitSeconds: number): Promise<void> {
    const { version, setHash } = this.#held;
    const set = setHash === undefined ? '' : `&set=${setHash}`;
    const path = `${FEED_PATH}?version=${version}&wait=${waitSeconds}${set}`;
    const { status, body } = await answerOf(connection, path);
    if (status === 204) return;
    if (status !== 200) throw new Error(`the region answered a simulated edge with ${status}: ${body}`);
    this.#take(this.#options.read(body));
  }

  #take(told: HeldFeed): void {
    const { version, setHash } = this.#held;
    if (told.version <= version) return;
    this.#held = told;
    if (setHash !== undefined && told.setHash !== setHash) this.#options.onStatements();
  }
}

async function answerOf(connection: FeedConnection, path: string): Promise<FeedAnswer> {
  for (let failures = 0; ;) {
    try {
      return await connection.get(path);
    } catch (error) {
      failures += 1;
      if (failures === MOST_FAILURES_IN_A_ROW) throw error;
      await pause(Math.random() * LONGEST_PAUSE_MS);
    }
  }
}

/** What a document says of itself. All edges get the same text, so that it is read once for all. */
export function feedReader(): (body: string) => HeldFeed {
  let last: { readonly body: string; readonly held: HeldFeed } | undefined;
  return (body) => {
    if (last?.body !== body) {
      const [, payload = ''] = document.parse(JSON.parse(body)).beacon.split('.');
      const { version, setHash } = beacon.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
      last = { body, held: { version, setHash } };
    }
    return last.held;
  };
}
