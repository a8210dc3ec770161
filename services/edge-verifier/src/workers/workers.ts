import type { EdgeKeys } from '@sigv4-keyd/edge-keys';
import { every, type Cancel, type Clock } from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { RunningFronts } from '../fronts.js';
import { RefusalTurns } from '../refusal-turns.js';
import type { RequestMeter } from '../request-meter.js';
import { forkWorker } from './fork-worker.js';
import { WorkerProcess } from './worker-process.js';

export interface WorkersOptions {
  readonly count: number;
  /** What the workers' own configuration is read from. */
  readonly environment: Readonly<Record<string, string>>;
  readonly keys: Pick<EdgeKeys, 'own' | 'shared'>;
  readonly meter: Pick<RequestMeter, 'add'>;
  /** Of the whole edge. */
  readonly refusalsPerSecond: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const BEAT_MS = 1_000;
/** A worker that is killed loses what it has counted since; the log has a line for each request of that time, too. */
const HAND_IN_EVERY_BEATS = 2;
/** A worker that lived for less is replaced after a pause, which grows. */
const SHORT_LIFE_MS = 10_000;
const LONGEST_PAUSE_MS = 30_000;

/** The fronts of an edge, in processes of their own that share its ports and its keys. */
export class Workers implements RunningFronts {
  readonly #options: WorkersOptions;
  readonly #turns: RefusalTurns;
  readonly #running = new Set<WorkerProcess>();
  #addresses: RunningFronts['addresses'] = {};
  #shortLives = 0;
  #beats = 0;
  #isKept = false;
  readonly #stop: Cancel;

  private constructor(options: WorkersOptions) {
    this.#options = options;
    const { refusalsPerSecond: perSecond, clock } = options;
    this.#turns = new RefusalTurns({ perSecond, clock });
    this.#stop = every(clock, BEAT_MS, () => this.#beat());
  }

  /**
   * Resolves once all of them serve.
   * @throws StartError
   */
  static async start(options: WorkersOptions): Promise<Workers> {
    const workers = new Workers(options);
    try {
      const begun = Array.from({ length: options.count }, () => workers.#begin());
      const [addresses = {}] = await Promise.all(begun.map(({ serving }) => serving));
      workers.#addresses = addresses;
      workers.#isKept = true;
      return workers;
    } catch (error) {
      workers.#stop();
      for (const each of workers.#running) each.kill('another worker cannot serve');
      await Promise.all([...workers.#running].map(({ ended }) => ended));
      throw error;
    }
  }

  get addresses(): RunningFronts['addresses'] {
    return this.#addresses;
  }

  notReady(): readonly string[] {
    return this.#serving > 0 ? [] : ['no worker serves: they are being started again; the log says why they ended'];
  }

  warnings(): readonly string[] {
    const { count } = this.#options;
    return this.#serving >= count ? [] : [`${this.#serving} of ${count} workers serve: the others are started again`];
  }

  status(): readonly object[] {
    return [...this.#running].map(({ status }) => status);
  }

  /** Fetches what all of them have counted; does not wait for long for one that is late. */
  async handIn(): Promise<void> {
    const all = Promise.all([...this.#running].map((worker) => worker.handIn()));
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(BEAT_MS, resolve);
      void all.then(() => {
        cancel();
        resolve();
      });
    });
  }

  async reload(): Promise<void> {
    await Promise.all([...this.#running].map((worker) => worker.reload()));
  }

  async close(): Promise<void> {
    this.#isKept = false;
    await Promise.all([...this.#running].map((worker) => worker.close()));
    this.#stop();
  }

  get #serving(): number {
    return [...this.#running].filter(({ isServing }) => isServing).length;
  }

  #begin(): WorkerProcess {
    const { environment, keys, meter, clock, log } = this.#options;
    const begunAt = clock.now();
    const worker = new WorkerProcess({
      ...{ environment, clock, log, own: keys.own, shared: keys.shared, turns: this.#turns },
      worker: forkWorker(environment),
      onHandedIn: ({ tallied, counts }) => {
        meter.add(tallied);
        keys.shared.count(counts);
      },
    });
    this.#running.add(worker);
    void worker.ended.then((how) => {
      this.#running.delete(worker);
      if (!this.#isKept) return;
      log.error({ event: 'worker-ended', how }, 'a worker has ended, and is replaced');
      this.#replace(clock.now() - begunAt);
    });
    return worker;
  }

  #replace(livedMs: number): void {
    this.#shortLives = livedMs < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    const pause = this.#shortLives < 2 ? 0 : Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.#shortLives);
    this.#options.clock.after(pause, () => {
      if (this.#isKept) this.#begin();
    });
  }

  #beat(): void {
    this.#beats += 1;
    for (const worker of this.#running) {
      worker.beat();
      if (this.#beats % HAND_IN_EVERY_BEATS === 0) void worker.handIn();
    }
  }
}
