import { openBorrowedKeys, type BorrowedKeys, type Lend } from '@sigv4-keyd/edge-keys';
import { Recipient, systemClock } from '@sigv4-keyd/hop-protocol';
import {
  ConfigurationError,
  createLogger,
  limitExposure,
  linesOfProcess,
  openTraces,
  readConfiguration,
  StartError,
} from '@sigv4-keyd/service-skeleton';
import type { Algorithm } from '@sigv4-keyd/sigv4-core';
import { createEdge } from '../edge.js';
import { startFronts, type RunningFronts } from '../fronts.js';
import { RequestTally } from '../request-tally.js';
import { OF_EDGE, OF_WORKER, type HandedIn } from './calls.js';
import { handedOn } from './handed-on-trace.js';
import { Link, type Channel } from './link.js';
import { KeyOpener } from './sealed-key.js';
import { SharedTurns } from './shared-turns.js';
import { workerConfiguration } from './worker-configuration.js';

interface Parts {
  readonly closeTraces: () => Promise<void>;
  readonly keys: BorrowedKeys;
  /** Begun as soon as the keys are there; news of the feed do not wait for it. */
  readonly fronts: Promise<RunningFronts>;
}

/**
 * One of the processes that verify the requests of an edge. It holds kSigning and public keys of access keys that are
 * in use, no certificate of the edge, and nothing to ask the region with.
 */
export class Worker {
  readonly #link: Link<typeof OF_WORKER, typeof OF_EDGE>;
  readonly #end: (exitCode: number) => void;
  readonly #tally = new RequestTally();
  readonly #parts: Promise<Parts>;

  /** `end` ends the process. */
  constructor(channel: Channel, end: (exitCode: number) => void) {
    this.#end = end;
    this.#link = new Link({
      channel,
      served: OF_WORKER,
      asked: OF_EDGE,
      onBroken: () => end(1),
      handlers: {
        news: async (document) => (await this.#parts).keys.takeNews(document),
        forget: async ({ algorithm, date, accessKeyId }) => {
          (await this.#parts).keys.forget(algorithm, date, accessKeyId);
          return null;
        },
        handIn: async () => this.#handIn((await this.#parts).keys),
        reload: async () => {
          await (await (await this.#parts).fronts).reload();
          return null;
        },
        drain: async () => {
          const { keys, fronts, closeTraces } = await this.#parts;
          await (await fronts).close();
          await closeTraces();
          return this.#handIn(keys);
        },
      },
    });
    this.#parts = this.#open();
  }

  /** Resolves once requests are served; ends the process where they cannot be. */
  async serve(): Promise<void> {
    try {
      const { keys, fronts } = await this.#parts;
      const { addresses } = await fronts;
      await this.#link.call('serving', { addresses, feed: keys.feedVersion });
    } catch (error) {
      await this.#link.call('failed', failureOf(error)).catch(() => undefined);
      this.#end(1);
    }
  }

  async #open(): Promise<Parts> {
    const recipient = new Recipient();
    const begun = await this.#link.call('begin', { recipient: recipient.publicKey });
    const { own, feed } = begun;
    const settings = readConfiguration(workerConfiguration, begun.environment);
    const { logLevel: level, clientTraces } = settings;
    const isTraced = settings.tracesEndpoint !== undefined;
    const lines = linesOfProcess();
    const log = createLogger({ service: 'edge-verifier', level, isTraced, destination: lines }).child({
      worker: process.pid,
    });
    const { tracer, close: closeTraces } = await openTraces(settings, { service: 'edge-verifier', log });
    limitExposure(log);
    const opener = KeyOpener.of(recipient, begun.sealedBy);
    const lend = (algorithm: Algorithm): Lend => {
      return async (date, accessKeyId, requestId) => {
        const asked = { algorithm, date, accessKeyId, ...(requestId !== undefined && { requestId }), ...handedOn() };
        const answer = await this.#link.call('key', asked);
        return 'absent' in answer ? answer.absent : opener.open(algorithm, accessKeyId, answer.sealed);
      };
    };
    const keys = await openBorrowedKeys(settings, {
      ...{ own, feed, log },
      lend: { 'AWS4-HMAC-SHA256': lend('AWS4-HMAC-SHA256'), 'AWS4-ECDSA-P256-SHA256': lend('AWS4-ECDSA-P256-SHA256') },
      clock: systemClock,
    });
    const turns = new SharedTurns(async (refusals) => (await this.#link.call('turns', { refusals })).atOnce);
    const traces = tracer && { tracer, clientTraces };
    const edge = createEdge(own, settings, { clock: systemClock, log, lines, keys, meter: this.#tally, turns, traces });
    return { keys, closeTraces, fronts: startFronts(edge, settings) };
  }

  #handIn(keys: BorrowedKeys): HandedIn {
    return { tallied: this.#tally.take(), counts: keys.takeCounts(), keysHeld: keys.size };
  }
}

function failureOf(error: unknown): { readonly message: string; readonly exitCode: 1 | 69 | 78 } {
  if (error instanceof StartError) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof ConfigurationError) return { message: error.problems.join('; '), exitCode: 78 };
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}
