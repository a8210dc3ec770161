import { KeydError } from '@sigv4-keyd/hop-protocol';

export interface TurnsLimits {
  /** Tasks of one peer at a time. */
  readonly most: number;
  /** Tasks of one peer that wait for their turn; more are refused. */
  readonly mostWaiting: number;
  /** Told of whose task was refused. */
  readonly onRefused: (peer: string) => void;
}

interface Queue {
  running: number;
  readonly waiting: (() => void)[];
}

/** How long a peer is told to wait that has too much under way already, seconds. */
const RETRY_AFTER_SECONDS = 1;

/** Lets each peer do a few things at a time, so that what one has under way leaves room for all others. */
export class Turns {
  readonly #limits: TurnsLimits;
  readonly #queues = new Map<string, Queue>();

  constructor(limits: TurnsLimits) {
    this.#limits = limits;
  }

  /** Throws KeydError 'too-many-requests' when too many wait already. */
  async run<Result>(peer: string, task: () => Promise<Result>): Promise<Result> {
    const queue = this.#queueOf(peer);
    await this.#turn(peer, queue);
    try {
      return await task();
    } finally {
      const next = queue.waiting.shift();
      if (next) next();
      else queue.running -= 1;
      if (queue.running === 0) this.#queues.delete(peer);
    }
  }

  #queueOf(peer: string): Queue {
    const known = this.#queues.get(peer);
    if (known) return known;
    const queue: Queue = { running: 0, waiting: [] };
    this.#queues.set(peer, queue);
    return queue;
  }

  /** Whoever ends hands its turn to the first that waits. */
  #turn(peer: string, queue: Queue): Promise<void> | undefined {
    const { most, mostWaiting, onRefused } = this.#limits;
    if (queue.running < most) {
      queue.running += 1;
      return undefined;
    }
    if (queue.waiting.length >= mostWaiting) {
      onRefused(peer);
      const detail = `${most} requests of this identity are under way and ${mostWaiting} wait`;
      throw new KeydError('too-many-requests', { detail, retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    return new Promise((resolve) => queue.waiting.push(resolve));
  }
}
