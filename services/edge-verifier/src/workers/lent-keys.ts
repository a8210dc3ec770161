import type { LentKey, SharedKeys } from '@sigv4-keyd/edge-keys';
import type { Cancel } from '@sigv4-keyd/hop-protocol';
import { ALGORITHMS, type Algorithm, type ScopeDate } from '@sigv4-keyd/sigv4-core';

/** More than a window of days and tomorrow: what is older is nobody's any more. */
const MOST_DAYS = 16;

type Forget = (algorithm: Algorithm, date: ScopeDate, accessKeyId: string) => void;

/** What one worker was lent: it must let go of a key that is another one now, or gone. */
export class LentKeys {
  readonly #shared: Pick<SharedKeys, 'rungs'>;
  readonly #lent = new Map<string, Set<string>>();
  readonly #stops: readonly Cancel[];

  constructor(shared: Pick<SharedKeys, 'rungs'>, forget: Forget) {
    this.#shared = shared;
    this.#stops = ALGORITHMS.map((algorithm) =>
      shared.rungs[algorithm].onChanged((date, accessKeyId) => {
        if (this.#lent.get(`${algorithm}/${date}`)?.delete(accessKeyId)) forget(algorithm, date, accessKeyId);
      }),
    );
  }

  /** Rejects with KeydError. The caller wipes the key. */
  async lend(
    algorithm: Algorithm,
    date: ScopeDate,
    accessKeyId: string,
    requestId: string | undefined,
  ): Promise<LentKey> {
    const lent = await this.#shared.rungs[algorithm].lend(date, accessKeyId, requestId);
    if (typeof lent !== 'string') this.#of(algorithm, date).add(accessKeyId);
    return lent;
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #of(algorithm: Algorithm, date: ScopeDate): Set<string> {
    const name = `${algorithm}/${date}`;
    const known = this.#lent.get(name);
    if (known) return known;
    const [oldest] = this.#lent.size < ALGORITHMS.length * MOST_DAYS ? [] : this.#lent.keys();
    if (oldest !== undefined) this.#lent.delete(oldest);
    const ids = new Set<string>();
    this.#lent.set(name, ids);
    return ids;
  }
}
