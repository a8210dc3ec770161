import { every, type Clock } from '@sigv4-keyd/hop-protocol';
import { LedgerError } from '@sigv4-keyd/ledger';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Sequencer } from './sequencer.js';

const SEQUENCE_EVERY_MS = 1_000;

export interface SequencerBeatOptions {
  readonly sequencer: Pick<Sequencer, 'sequence'>;
  /** Runs after each turn, for the status. */
  readonly look: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Has records sequenced every second. */
export class SequencerBeat {
  readonly #options: SequencerBeatOptions;
  #failure: string | undefined;
  #inOrderAt: number;
  #work: Promise<void> = Promise.resolve();

  constructor(options: SequencerBeatOptions) {
    this.#options = options;
    this.#inOrderAt = options.clock.now();
  }

  /** Epoch milliseconds when nothing was left to sequence; before the first time, of the start. */
  get inOrderAt(): number {
    return this.#inOrderAt;
  }

  /** Why the log does not grow, in words; undefined while it does. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Never rejects: a failure is told once, and tried again on the next beat. */
  beat(): Promise<void> {
    this.#work = this.#run();
    return this.#work;
  }

  /** Returns the end of it, which waits for what is under way. */
  start(): () => Promise<void> {
    const cancel = every(this.#options.clock, SEQUENCE_EVERY_MS, () => this.beat());
    return async () => {
      cancel();
      await this.#work;
    };
  }

  async #run(): Promise<void> {
    const { sequencer, look, log, clock } = this.#options;
    try {
      await sequencer.sequence();
      await look();
      if (this.#failure !== undefined) log.info('the ledger grows again');
      this.#failure = undefined;
      this.#inOrderAt = clock.now();
    } catch (error) {
      if (this.#failure === undefined) this.#tell(error);
      this.#failure = error instanceof LedgerError ? error.message : 'the database is out of reach; the log has more';
    }
  }

  #tell(error: unknown): void {
    const { log } = this.#options;
    if (error instanceof LedgerError) {
      const event = { event: 'ledger-damaged', security: true, err: error };
      log.error(
        event,
        'ALARM: the ledger in the database was changed outside of this program; run keydctl ledger verify',
      );
    } else {
      log.error({ err: error }, 'records are not sequenced; the next beat tries again');
    }
  }
}
