import {
  CHECKPOINT_PATH,
  checkpointAnswer,
  type CheckpointAnswer,
  type Clock,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';

const KEPT_FOR_MS = 1_000;
/** Edges ask from the sizes of a few recent checkpoints; whoever makes up others gets no more memory than this. */
const MOST_KEPT = 1_000;

/** The master's checkpoints for edges, word for word: many that ask at a time cost the master one question. */
export class CheckpointRelay {
  readonly #master: PeerClient;
  readonly #clock: Clock;
  readonly #kept = new Map<number, { readonly at: number; readonly answer: Promise<CheckpointAnswer> }>();

  constructor({ master, clock }: { readonly master: PeerClient; readonly clock: Clock }) {
    this.#master = master;
    this.#clock = clock;
  }

  from(size: number): Promise<CheckpointAnswer> {
    const now = this.#clock.now();
    this.#forgetBefore(now - KEPT_FOR_MS);
    const kept = this.#kept.get(size);
    if (kept) return kept.answer;
    const answer = this.#ask(size);
    this.#kept.set(size, { at: now, answer });
    // A failure is answered to whoever waits for it, and is not kept.
    answer.catch(() => this.#kept.delete(size));
    return answer;
  }

  #ask(size: number): Promise<CheckpointAnswer> {
    return this.#master.call({ method: 'GET', path: `${CHECKPOINT_PATH}?from=${size}`, answer: checkpointAnswer });
  }

  /** In the order of asking: the first that is young enough ends it. */
  #forgetBefore(oldest: number): void {
    for (const [size, { at }] of this.#kept) {
      if (at > oldest && this.#kept.size < MOST_KEPT) break;
      this.#kept.delete(size);
    }
  }
}
