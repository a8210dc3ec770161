import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  ACCEPTANCES_PATH,
  KeydError,
  MOST_BATCHES_A_RELAY,
  relayedBatch,
  spiffeIdOf,
  type Clock,
  type EdgeIdentity,
  type PeerClient,
  type RelayedBatch,
  type RollupBatch,
} from '@sigv4-keyd/hop-protocol';
import { BatchBuffer, BatchUploader, BufferFull, type Logger } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';

export interface AcceptanceRelayOptions {
  readonly stateFolder: string;
  readonly master: PeerClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mostBytes?: number;
}

/** What waits on disk while the master is out of reach. A full buffer takes nothing: each edge then keeps its own. */
const MOST_BYTES = 512 * 1024 * 1024;

/** Takes the batches of this region's edges, and brings them to the master. */
export class AcceptanceRelay {
  readonly #buffer: BatchBuffer<RelayedBatch>;
  readonly #uploader: BatchUploader<RelayedBatch>;
  readonly #log: Logger;

  private constructor({ master, clock, log }: AcceptanceRelayOptions, buffer: BatchBuffer<RelayedBatch>) {
    this.#buffer = buffer;
    this.#log = log;
    this.#uploader = new BatchUploader({
      buffer,
      clock,
      log,
      send: (batches, signal) =>
        master.call({ method: 'POST', path: ACCEPTANCES_PATH, body: { batches }, answer: z.undefined(), signal }),
      toldAs: refusedAsDropped,
    });
  }

  static async open(options: AcceptanceRelayOptions): Promise<AcceptanceRelay> {
    const buffer = await BatchBuffer.open({
      folder: join(options.stateFolder, 'rollups'),
      entry: relayedBatch,
      mostBytes: options.mostBytes ?? MOST_BYTES,
      mostTogether: MOST_BATCHES_A_RELAY,
      log: options.log,
    });
    return new AcceptanceRelay(options, buffer);
  }

  start(): () => Promise<void> {
    const stop = this.#uploader.start();
    return async () => {
      await stop();
      await this.#buffer.idle();
    };
  }

  /** Resolves once the batch is durable here. Rejects with a KeydError when the edge has to keep it for now. */
  async take(edge: EdgeIdentity, batch: RollupBatch): Promise<void> {
    const { region, service } = edge;
    try {
      await this.#buffer.put({ edge: spiffeIdOf(edge), region, service, batch });
    } catch (error) {
      if (error instanceof BufferFull) {
        throw new KeydError('too-many-requests', { detail: 'the buffer is full; keep the batch', cause: error });
      }
      this.#log.error({ event: 'rollups-not-kept', err: error }, 'roll-ups cannot be written to KEYD_STATE_FOLDER');
      throw new KeydError('not-ready', { detail: 'the batch cannot be stored; keep it', cause: error });
    }
    void this.#uploader.send();
  }

  /** Sends all that waits; never rejects. */
  send(): Promise<void> {
    return this.#uploader.send();
  }

  /** What waits, for the status. */
  status(): { readonly groupsWaiting: number; readonly bytesWaiting: number; readonly isFailing: boolean } {
    return {
      groupsWaiting: this.#buffer.groups,
      bytesWaiting: this.#buffer.bytes,
      isFailing: this.#uploader.isFailing,
    };
  }
}

/** What the master will never take is told to it as missing. */
function refusedAsDropped({ batch: { rollups, dropped }, ...edge }: RelayedBatch): RelayedBatch | undefined {
  if (rollups.length === 0) return undefined;
  return { ...edge, batch: { id: randomUUID(), rollups: [], dropped: rollups.length + dropped } };
}
