import type { Worker } from 'node:cluster';
import type { FeedJudge, SharedKeys } from '@sigv4-keyd/edge-keys';
import type { Cancel, Clock, EdgeIdentity, FeedDocument } from '@sigv4-keyd/hop-protocol';
import { StartError, type Logger } from '@sigv4-keyd/service-skeleton';
import type { Turns } from '../refusal-turns.js';
import { OF_EDGE, OF_WORKER, type HandedIn } from './calls.js';
import { LentKeys } from './lent-keys.js';
import { Link, type Handlers } from './link.js';
import { withinTrace } from './handed-on-trace.js';
import { KeySealer } from './sealed-key.js';

/** A process that was started for us, and the channel to it. */
export interface StartedWorker extends Pick<Worker, 'process' | 'isConnected'> {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface WorkerProcessOptions {
  readonly worker: StartedWorker;
  readonly own: EdgeIdentity;
  readonly environment: Readonly<Record<string, string>>;
  readonly shared: SharedKeys;
  /** Of the refusals of the whole edge. */
  readonly turns: Turns;
  readonly onHandedIn: (handed: HandedIn) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

/** A worker that owes an answer for so many beats of ours is not believed any more. */
const PATIENCE_BEATS = 10;
/** One that starts has to read its code first. */
const PATIENCE_AT_START_BEATS = 60;

type Addresses = Readonly<Record<string, string>>;

/** One worker, as the edge's process sees it. It faces the clients: nothing that it says is believed unread. */
export class WorkerProcess {
  /** HOST:PORT of its fronts, once it serves. Rejects with StartError when it never does. */
  readonly serving: Promise<Addresses>;
  /** How it ended. */
  readonly ended: Promise<string>;
  readonly #options: WorkerProcessOptions;
  readonly #link: Link<typeof OF_EDGE, typeof OF_WORKER>;
  readonly #lent: LentKeys;
  /** By what it owes: since which beat. The first is the oldest. */
  readonly #owed = new Map<object, number>();
  #beats = 0;
  #sealer: KeySealer | undefined;
  #judge: FeedJudge | undefined;
  #stopNews: Cancel = () => undefined;
  #servingSince: number | undefined;
  #feedVersion = 0;
  #keysHeld = 0;
  #onServing: (addresses: Addresses) => void = () => undefined;
  #onFailed: (error: StartError) => void = () => undefined;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    const { worker, shared } = options;
    this.serving = new Promise((resolve, reject) => {
      this.#onServing = resolve;
      this.#onFailed = reject;
    });
    this.#link = new Link({
      channel: {
        // What cannot be sent has nobody to receive it: the process has ended, or is about to.
        send(message) {
          if (worker.isConnected()) worker.process.send(message, () => undefined);
        },
        onMessage: (listener) => void worker.process.on('message', listener),
      },
      served: OF_EDGE,
      asked: OF_WORKER,
      handlers: this.#handlers(),
      onBroken: (problem) => this.kill(problem),
    });
    this.#lent = new LentKeys(shared, (algorithm, date, accessKeyId) => {
      void this.#owe(this.#link.call('forget', { algorithm, date, accessKeyId })).catch(() => undefined);
    });
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#afterEnd();
        this.#onFailed(new StartError(`a worker ended before it served (${how}): the log says why`, 69));
        resolve(how);
      };
      worker.on('error', ({ message }) => end(message));
      worker.process.once('exit', (code, signal) => end(signal ?? `exit code ${String(code)}`));
    });
    // It is asked for where somebody waits for the start.
    this.serving.catch(() => undefined);
  }

  get isServing(): boolean {
    return this.#servingSince !== undefined;
  }

  get status(): object {
    const { worker } = this.#options;
    const servingSince = this.#servingSince === undefined ? undefined : new Date(this.#servingSince).toISOString();
    return { pid: worker.process.pid, servingSince, feedVersion: this.#feedVersion, keysHeld: this.#keysHeld };
  }

  /** To be called once a second: one that does not answer is ended. A pause of the whole machine is one beat. */
  beat(): void {
    this.#beats += 1;
    const patience = this.isServing ? PATIENCE_BEATS : PATIENCE_AT_START_BEATS;
    const [since = this.isServing ? this.#beats : 0] = this.#owed.values();
    if (this.#beats - since > patience) this.kill('it does not answer');
  }

  /** Fetches what it has counted. Never rejects. */
  async handIn(): Promise<void> {
    if (!this.isServing) return;
    await this.#owe(this.#link.call('handIn', null).then((handed) => this.#take(handed))).catch(() => undefined);
  }

  /** Has it read the public certificate again. Never rejects. */
  async reload(): Promise<void> {
    await this.#owe(this.#link.call('reload', null)).catch(() => undefined);
  }

  /** Lets it serve what it has begun, and ends it. Never rejects. */
  async close(): Promise<void> {
    await this.#link.call('drain', null).then(
      (handed) => this.#take(handed),
      () => undefined,
    );
    if (this.#options.worker.isConnected()) this.#options.worker.process.disconnect();
    await this.ended;
  }

  /** At once. */
  kill(problem: string): void {
    const { worker, log } = this.#options;
    log.error({ event: 'worker-killed', worker: worker.process.pid, problem }, 'a worker is ended: it is not believed');
    worker.process.kill('SIGKILL');
  }

  #handlers(): Handlers<typeof OF_EDGE> {
    const { own, environment, shared, turns, clock, log } = this.#options;
    return {
      begin: ({ recipient }) => {
        if (this.#sealer) throw new Error('a worker begins once');
        this.#sealer = new KeySealer(recipient);
        this.#judge = shared.feed.join();
        this.#stopNews = shared.feed.onNews((document) => this.#tell(document));
        return { own, environment, feed: shared.feed.serialise(), sealedBy: this.#sealer.sender };
      },
      serving: ({ addresses, feed }) => {
        this.#servingSince = clock.now();
        this.#confirm(feed);
        this.#onServing(addresses);
        return null;
      },
      failed: ({ message, exitCode }) => {
        log.error({ event: 'worker-failed', problem: message }, 'a worker cannot serve');
        this.#onFailed(new StartError(message, exitCode === 1 ? 69 : exitCode));
        return null;
      },
      key: async ({ algorithm, date, accessKeyId, requestId, traceparent }) => {
        const lend = () => this.#lent.lend(algorithm, date, accessKeyId, requestId);
        const lent = await withinTrace(traceparent, lend);
        if (typeof lent === 'string') return { absent: lent };
        if (!this.#sealer) throw new Error('a worker begins first');
        return { sealed: this.#sealer.seal(algorithm, lent) };
      },
      turns: async ({ refusals }) => {
        let atOnce = 0;
        for (let i = 0; i < refusals; i += 1) if (await turns.take()) atOnce += 1;
        return { atOnce };
      },
    };
  }

  #tell(document: FeedDocument): void {
    const { beacon, statements } = document;
    const news = { beacon, ...(statements && { statements: [...statements] }) };
    const confirmed = this.#link.call('news', news).then((version) => this.#confirm(version));
    void this.#owe(confirmed).catch(() => undefined);
  }

  #confirm(version: number): void {
    this.#feedVersion = Math.max(this.#feedVersion, version);
    this.#judge?.confirm(this.#feedVersion);
  }

  #take(handed: HandedIn): void {
    this.#keysHeld = handed.keysHeld;
    this.#options.onHandedIn(handed);
  }

  async #owe<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const debt = {};
    this.#owed.set(debt, this.#beats);
    try {
      return await answer;
    } finally {
      this.#owed.delete(debt);
    }
  }

  /** It judges nothing any more: what the others confirm is in force. */
  #afterEnd(): void {
    this.#servingSince = undefined;
    this.#stopNews();
    this.#lent.close();
    this.#link.close();
    this.#judge?.leave();
  }
}
