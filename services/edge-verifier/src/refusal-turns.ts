import { TokenBucket, type Clock } from '@sigv4-keyd/hop-protocol';

/** Says of each refusal, in turn, whether it may be answered at once. */
export interface Turns {
  take(): boolean | Promise<boolean>;
}

export interface RefusalTurnsOptions {
  /** Refusals that are answered without delay, in the long run; ten times as many at once. */
  readonly perSecond: number;
  readonly clock: Clock;
}

/** The turns of a whole edge. */
export class RefusalTurns implements Turns {
  readonly #bucket: TokenBucket;

  constructor({ perSecond, clock }: RefusalTurnsOptions) {
    this.#bucket = new TokenBucket({ burst: 10 * perSecond, perSecond }, clock);
  }

  take(): boolean {
    const isAtOnce = this.#bucket.allows();
    this.#bucket.spend({ mayOwe: false });
    return isAtOnce;
  }
}
