import { setTimeout as pause } from 'node:timers/promises';
import { DAY_MS, scopeDateOf, type Credentials, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { askEdge, presigned, signed, type EdgeRequest } from '../edge-request.js';
import { StackError } from '../stack-error.js';
import type { TourFacts } from './tour-facts.js';

const SERVICE = 's3';
const ASK_EVERY_MS = 20;

/** Where the story plays: the edges of one service in both regions, and the days before today. */
export class Stage {
  readonly #stack: TourFacts;
  readonly #now: () => number;

  constructor(stack: TourFacts, now: () => number) {
    this.#stack = stack;
    this.#now = now;
  }

  /** The UTC day so many days ago, `2026-11-20`. */
  daysAgo(days: number): string {
    return new Date(this.#now() - days * DAY_MS).toISOString().slice(0, 10);
  }

  scopeDateAgo(days: number): ScopeDate {
    return scopeDateOf(this.#now() - days * DAY_MS);
  }

  /** A request signed in its headers at this moment; fresh, as those must be. */
  fresh(region: string, credentials: Credentials): () => Promise<string> {
    const host = this.#hostOf(region);
    return () => this.#ask(host, signed({ ...this.#scope(host, region), credentials, at: this.#now() }));
  }

  /** A URL signed so many days ago, good for a week: the one way in which an old signature may come today. */
  url(region: string, credentials: Credentials, days: number): () => Promise<string> {
    const host = this.#hostOf(region);
    const at = this.#now() - days * DAY_MS;
    const request = presigned({ ...this.#scope(host, region), credentials, at });
    return () => this.#ask(host, request);
  }

  /** Asks again and again until the verdict is the one wanted. Resolves with the last one, and how long it took. */
  async until(verdict: string, ask: () => Promise<string>, withinMs: number): Promise<readonly [string, number]> {
    const startedAt = performance.now();
    for (;;) {
      const got = await ask();
      const ms = performance.now() - startedAt;
      if (got === verdict || ms > withinMs) return [got, ms];
      await pause(ASK_EVERY_MS);
    }
  }

  #scope(host: string, region: string): { host: string; target: string; region: string; service: string } {
    return { host, target: '/tour/holiday.jpg', region, service: SERVICE };
  }

  async #ask(host: string, request: EdgeRequest): Promise<string> {
    return (await askEdge(host, request)).verdict;
  }

  #hostOf(region: string): string {
    const edge = this.#stack.edges.find((found) => found.region === region && found.service === SERVICE);
    if (edge === undefined) throw new StackError(`the stack has no edge of ${SERVICE} in ${region}`);
    return new URL(edge.proxy).host;
  }
}
