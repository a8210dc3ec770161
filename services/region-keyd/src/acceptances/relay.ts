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

/**
 * What waits on disk while the master is out of reach. A full buffer takes nothing, and no edge may fill it for the
 * others: what is not taken stays with its edge.
 */
const MOST_BYTES = 512 * 1024 * 1024;

export interface RelayStatus {
  readonly groupsWaiting: number;
  readonly bytesWaiting: number;
  readonly isFailing: boolean;
  readonly overShare: readonly string[];
}

/** Takes the batches of this region's edges, and brings them to the master. */
export class AcceptanceRelay {
  readonly #buffer: BatchBuffer<RelayedBatch>;
  readonly #uploader: BatchUploader<RelayedBatch>;
  readonly #log: Logger;
  /** The edges that were told that they have used up their share. */
  readonly #told = new Set<string>();

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
      ownerOf: ({ edge }) => edge,
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
    const spiffeId = spiffeIdOf(edge);
    try {
      await this.#buffer.put({ edge: spiffeId, region, service, batch });
    } catch (error) {
      if (error instanceof BufferFull) {
        this.#tellOfShare(spiffeId);
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

  /** The edges that have as much waiting here as they may, and brought more. */
  get overShare(): readonly string[] {
    for (const edge of this.#told) if (!this.#buffer.isShareUsedUp(edge)) this.#told.delete(edge);
    return [...this.#told];
  }

  warnings(): readonly string[] {
    return this.overShare.map((edge) => `${edge} has used up its share of the room for roll-ups and keeps the rest`);
  }

  /** What waits, for the status. */
  status(): RelayStatus {
    return {
      groupsWaiting: this.#buffer.groups,
      bytesWaiting: this.#buffer.bytes,
      isFailing: this.#uploader.isFailing,
      overShare: this.overShare,
    };
  }

  #tellOfShare(edge: string): void {
    if (this.overShare.includes(edge) || !this.#buffer.isShareUsedUp(edge)) return;
    this.#told.add(edge);
    const event = { event: 'rollup-share-used-up', security: true, peer: edge };
    this.#log.warn(event, 'as many roll-ups of an edge wait here as there is room left; it keeps what it has more');
  }
}

/** What the master will never take is told to it as missing. */
function refusedAsDropped({ batch: { rollups, dropped }, ...edge }: RelayedBatch): RelayedBatch | undefined {
  if (rollups.length === 0) return undefined;
  return { ...edge, batch: { id: randomUUID(), rollups: [], dropped: rollups.length + dropped } };
}
