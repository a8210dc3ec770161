import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  identityOf,
  KeydError,
  requirePlausible,
  type RegionIdentity,
  type RelayedBatch,
} from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import { stateOf } from '../database/database-error.js';
import { inTransaction } from '../database/transaction.js';
import type { AcceptancePartitions } from './partitions.js';
import { storeBatches } from './store-batches.js';

export interface AcceptancesOptions {
  readonly pool: Pool;
  readonly partitions: AcceptancePartitions;
  readonly now: () => number;
  readonly clockSkewSeconds: number;
  readonly keptDays: number;
}

/** No partition for a row (check_violation), or one that was dropped meanwhile (undefined_table). */
const NO_PARTITION: ReadonlySet<string | undefined> = new Set(['23514', '42P01']);

/** What regions bring up of their edges' acceptances. */
export class Acceptances {
  readonly #options: AcceptancesOptions;

  constructor(options: AcceptancesOptions) {
    this.#options = options;
  }

  /** Resolves once the batches are durable. Rejects with KeydError 'malformed-request' when one of them cannot be. */
  async take(region: RegionIdentity, batches: readonly RelayedBatch[]): Promise<void> {
    const now = this.#options.now();
    for (const relayed of batches) {
      requireOwnEdge(region, relayed);
      requirePlausible(relayed.batch, { ...this.#options, now });
    }
    try {
      await this.#store(batches, now);
    } catch (error) {
      if (!NO_PARTITION.has(stateOf(error))) throw error;
      this.#options.partitions.forget();
      await this.#store(batches, now);
    }
  }

  async #store(batches: readonly RelayedBatch[], now: number): Promise<void> {
    const { pool, partitions } = this.#options;
    await partitions.ensure(daysOf(batches));
    await inTransaction(pool, (transaction) => storeBatches(transaction, batches, now));
  }
}

function* daysOf(batches: readonly RelayedBatch[]): Generator<ReturnType<typeof scopeDateOf>> {
  for (const { batch } of batches) for (const { minute } of batch.rollups) yield scopeDateOf(Date.parse(minute));
}

/** A region speaks for its own edges: what it says of one must be what that edge's certificate says. */
function requireOwnEdge(region: RegionIdentity, { edge: spiffeId, region: name, service }: RelayedBatch): void {
  const id = parseSpiffeId(spiffeId);
  const edge = id && identityOf(id);
  const isOwn =
    edge?.role === 'edge' &&
    edge.trustDomain === region.trustDomain &&
    edge.region === region.region &&
    name === edge.region &&
    service === edge.service;
  if (!isOwn) throw new KeydError('malformed-request', { detail: `${spiffeId} is no edge of ${region.region}` });
}
