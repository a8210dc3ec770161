import { setTimeout as pause } from 'node:timers/promises';
import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { until } from '../support/victim.js';
import type { Edge } from './mixed-tiers.js';

/** No verdict on the signature: every client tries again. */
const TRIED_AGAIN: ReadonlySet<string> = new Set(['keys-unavailable', 'not connected']);

/** Asks without an end, of the first edge that answers, as a client behind a load balancer does. */
export class HonestClient {
  /** Verdicts that no honest request may get. */
  readonly refusals: string[] = [];
  #served = 0;
  readonly #asking: Promise<void>;
  #isOver = false;

  constructor(edges: readonly Edge[], accessKey: CreatedAccessKey) {
    this.#asking = this.#ask(edges, accessKey);
  }

  /** Waits until some more of its requests were served, or one was refused. */
  more(): Promise<void> {
    const goal = this.#served + 3;
    return until(() => this.#served >= goal || this.refusals.length > 0);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#asking;
  }

  async #ask(edges: readonly Edge[], accessKey: CreatedAccessKey): Promise<void> {
    while (!this.#isOver) {
      await pause(20);
      for (const edge of edges) {
        const verdict = await edge.verdictOn(accessKey).catch(() => 'not connected');
        if (TRIED_AGAIN.has(verdict)) continue;
        if (verdict === 'served') this.#served += 1;
        else this.refusals.push(verdict);
        break;
      }
    }
  }
}
