import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  ACCEPTANCES_PATH,
  every,
  rollupBatch,
  type Clock,
  type PeerClient,
  type RollupBatch,
} from '@sigv4-keyd/hop-protocol';
import { BatchBuffer, BatchUploader, type Logger } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import type { AcceptanceCounts } from './acceptance-counts.js';
import { sealBatches, toldOfLost } from './seal-batches.js';

export interface AcceptanceRollupsOptions {
  readonly counts: AcceptanceCounts;
  readonly stateFolder: string;
  readonly region: PeerClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mostBytes?: number;
}

/**
 * How often counts become batches on disk, milliseconds. A crash of the process loses the counts since: at most this
 * long, and never a batch. The log has a line for each request of that time, too.
 */
export const SEAL_EVERY_MS = 10_000;
/** What waits on disk while the region is out of reach; the oldest goes first, and the report says how much. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Brings the counts of accepted signatures to the region: sealed on a beat, durable, sent until acknowledged. */
export class AcceptanceRollups {
  readonly #options: AcceptanceRollupsOptions;
  readonly #buffer: BatchBuffer<RollupBatch>;
  readonly #uploader: BatchUploader<RollupBatch>;
  /** Sealed, but not on disk yet; kept while the disk is full. */
  readonly #unkept: RollupBatch[] = [];
  #sealing: Promise<void> = Promise.resolve();

  private constructor(options: AcceptanceRollupsOptions, buffer: BatchBuffer<RollupBatch>) {
    const { region, clock, log } = options;
    this.#options = options;
    this.#buffer = buffer;
    this.#uploader = new BatchUploader({
      buffer,
      clock,
      log,
      send: async (batches, signal) => {
        for (const body of batches) {
          await region.call({ method: 'POST', path: ACCEPTANCES_PATH, body, answer: z.undefined(), signal });
        }
      },
      toldAs: (refused) => (refused.rollups.length === 0 ? undefined : toldOfLost([refused], 0, randomUUID)),
    });
  }

  static async open(options: AcceptanceRollupsOptions): Promise<AcceptanceRollups> {
    const buffer = await BatchBuffer.open({
      folder: join(options.stateFolder, 'rollups'),
      entry: rollupBatch,
      mostBytes: options.mostBytes ?? MOST_BYTES,
      // A file for each batch: the region takes one at a time.
      mostTogether: 1,
      toldAs: (lost, unreadableFiles) => toldOfLost(lost, unreadableFiles, randomUUID),
      log: options.log,
    });
    return new AcceptanceRollups(options, buffer);
  }

  /** Stops with what is counted sealed. */
  start(): () => Promise<void> {
    const stopSending = this.#uploader.start();
    const stopSealing = every(this.#options.clock, SEAL_EVERY_MS, () => this.sealAndSend());
    return async () => {
      stopSealing();
      await stopSending();
      await this.seal();
    };
  }

  /** What waits, for the status. */
  status(): { readonly batchesWaiting: number; readonly bytesWaiting: number; readonly isFailing: boolean } {
    return {
      batchesWaiting: this.#buffer.groups + this.#unkept.length,
      bytesWaiting: this.#buffer.bytes,
      isFailing: this.#uploader.isFailing,
    };
  }

  async sealAndSend(): Promise<void> {
    await this.seal();
    await this.#uploader.send();
  }

  /** Makes the counts so far durable. Never rejects: on a full disk they wait in memory, and the log says so. */
  seal(): Promise<void> {
    this.#sealing = this.#sealing.then(() => this.#sealNow());
    return this.#sealing;
  }

  async #sealNow(): Promise<void> {
    const { counts, log } = this.#options;
    if (this.#unkept.length === 0) this.#unkept.push(...sealBatches(counts.take(), randomUUID));
    try {
      for (let batch = this.#unkept[0]; batch; batch = this.#unkept[0]) {
        await this.#buffer.put(batch);
        this.#unkept.shift();
      }
    } catch (error) {
      log.error({ event: 'rollups-not-kept', err: error }, 'roll-ups cannot be written to KEYD_STATE_FOLDER');
    }
  }
}
