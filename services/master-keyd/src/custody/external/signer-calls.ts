import { MOST_SECRETS_A_CALL } from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { SealBroken } from '../custody.js';
import type { SealedForSigner } from './external-custody.js';
import type { SignerClient } from './signer-client.js';

export type Want =
  { readonly want: 'kDate'; readonly date: ScopeDate } | { readonly want: 'publicKey' } | { readonly want: 'seal' };

interface Waiting {
  readonly secret: SealedForSigner;
  readonly resolve: (made: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly want: Want;
  readonly waiting: Waiting[];
}

/** Calls under way at a time: each has a record of its own in the database, and the others wait their turn. */
const MOST_AT_A_TIME = 4;

/** Joins what is asked for in one turn of the event loop: a master derives thousands of keys at a time. */
export class SignerCalls {
  readonly #client: SignerClient;
  readonly #open = new Map<string, Batch>();
  #queue: Batch[] = [];
  #underWay = 0;

  constructor(client: SignerClient) {
    this.#client = client;
  }

  /** The caller overwrites it. Rejects with SealBroken for this one secret, or KeydError 'custody-unavailable'. */
  ask(want: Want, secret: SealedForSigner): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const name = want.want === 'kDate' ? want.date : want.want;
      const batch = this.#open.get(name) ?? this.#begin(name, want);
      batch.waiting.push({ secret, resolve, reject });
      if (batch.waiting.length === MOST_SECRETS_A_CALL) this.#send(name, batch);
    });
  }

  #begin(name: string, want: Want): Batch {
    const batch: Batch = { want, waiting: [] };
    this.#open.set(name, batch);
    setImmediate(() => this.#send(name, batch));
    return batch;
  }

  #send(name: string, batch: Batch): void {
    // A full one went before its turn.
    if (this.#open.get(name) !== batch) return;
    this.#open.delete(name);
    this.#queue.push(batch);
    this.#next();
  }

  #next(): void {
    while (this.#underWay < MOST_AT_A_TIME) {
      const [batch, ...later] = this.#queue;
      if (!batch) return;
      this.#queue = later;
      this.#underWay += 1;
      void this.#settle(batch).finally(() => {
        this.#underWay -= 1;
        this.#next();
      });
    }
  }

  async #settle({ want, waiting }: Batch): Promise<void> {
    try {
      const made = await this.#client.derive(
        want,
        waiting.map(({ secret }) => secret),
      );
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const each = made[index];
        if (each) resolve(each);
        else reject(new SealBroken('the signer does not open the seal: tampered with, moved, or of another key'));
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
