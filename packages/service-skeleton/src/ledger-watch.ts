import { CHECKPOINT_PATH, checkpointAnswer, every, type Clock, type PeerClient } from '@sigv4-keyd/hop-protocol';
import {
  LedgerError,
  openCheckpoint,
  parseMerkleHash,
  type Checkpoint,
  type CheckpointMemory,
  type LogIdentity,
  type MerkleHash,
  type NoteVerifier,
} from '@sigv4-keyd/ledger';
import { readCheckpointMemory, storeCheckpointMemory } from './checkpoint-file.js';
import { pinnedLedger } from './ledger-keys.js';
import type { Logger } from './logging.js';

export interface LedgerWatchSettings {
  readonly trustDomain: string;
  readonly stateFolder: string;
  readonly ledgerKeys: readonly NoteVerifier[];
}

export interface LedgerWatchOptions {
  readonly parent: PeerClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs: number;
}

/** Silence of this length is told: who hides the log may say nothing at all. */
const SILENT_AFTER_MS = 600_000;

/**
 * Remembers the newest checkpoint of the ledger, on disk, and asks on a beat for the proof that the log only grew
 * since. A log that was set back, rewritten or signed by a stranger is refused and told; keys are served all the same.
 */
export class LedgerWatch {
  readonly #options: LedgerWatchOptions;
  readonly #folder: string;
  readonly #log: LogIdentity;
  readonly #memory: CheckpointMemory;
  #refusal: LedgerError | undefined;
  readonly #stopping = new AbortController();
  #acceptedAt: number;
  #isAccepted = false;
  #asking: Promise<void> | undefined;

  private constructor(settings: LedgerWatchSettings, memory: CheckpointMemory, options: LedgerWatchOptions) {
    this.#options = options;
    this.#folder = settings.stateFolder;
    this.#log = pinnedLedger(settings.trustDomain, settings.ledgerKeys);
    this.#memory = memory;
    this.#acceptedAt = options.clock.now();
  }

  /** @throws StartError */
  static async open(settings: LedgerWatchSettings, options: LedgerWatchOptions): Promise<LedgerWatch> {
    const { origin } = pinnedLedger(settings.trustDomain, settings.ledgerKeys);
    return new LedgerWatch(settings, await readCheckpointMemory(settings.stateFolder, origin), options);
  }

  /** Returns the end of it, which waits for what is being written. */
  start(): () => Promise<void> {
    void this.beat();
    const stop = every(this.#options.clock, this.#options.everyMs, () => this.beat());
    return async () => {
      stop();
      this.#stopping.abort();
      await this.#asking;
    };
  }

  /** Undefined until a first checkpoint was accepted. */
  get newest(): (Checkpoint & { readonly note: string }) | undefined {
    return this.#memory.newest;
  }

  /** Epoch milliseconds of the last checkpoint that was accepted; before the first, of the start. */
  get acceptedAt(): number {
    return this.#acceptedAt;
  }

  /** Whether the log that is served now is not the one that was seen before. */
  get isRefused(): boolean {
    return this.#refusal !== undefined;
  }

  status(): object {
    const state = this.#refusal ? `refused: ${this.#refusal.message}` : this.#isAccepted ? 'accepted' : 'not seen yet';
    return { state, size: this.newest?.size ?? 0 };
  }

  /** What somebody should see to, in words. */
  warnings(): readonly string[] {
    if (this.#refusal) return [`the ledger is refused: ${this.#refusal.message}`];
    const silentMs = this.#options.clock.now() - this.#acceptedAt;
    if (silentMs < SILENT_AFTER_MS) return [];
    return [`no checkpoint of the ledger was accepted for ${Math.floor(silentMs / 60_000)} minutes`];
  }

  /** Never rejects. What is refused is told once, and again when the reason changes. */
  beat(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const { parent, clock, log } = this.#options;
    const { signal } = this.#stopping;
    const from = this.newest?.size ?? 0;
    let answer;
    try {
      const path = `${CHECKPOINT_PATH}?from=${from}`;
      answer = await parent.call({ method: 'GET', path, answer: checkpointAnswer, signal });
    } catch (error) {
      // The tier above is out of reach, which is told elsewhere; for how long it may be is told by `warnings`.
      log.debug({ err: error }, 'no checkpoint of the ledger was answered');
      return;
    }
    try {
      const proof = answer.consistency.map(hashOf);
      const acceptance = this.#memory.accept(openCheckpoint(answer.checkpoint, this.#log), proof);
      if (this.#refusal) log.warn({ event: 'ledger-accepted', security: true, from }, 'the ledger is accepted again');
      this.#refusal = undefined;
      this.#isAccepted = true;
      this.#acceptedAt = clock.now();
      if (acceptance !== 'unchanged') await this.#store();
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.#refuse(error, answer.checkpoint);
    }
  }

  #refuse(error: LedgerError, refused: string): void {
    const isNews = this.#refusal?.code !== error.code;
    this.#refusal = error;
    if (!isNews) return;
    const evidence = { remembered: this.newest?.note, refused };
    const event = { event: 'ledger-refused', security: true, code: error.code, err: error, ...evidence };
    this.#options.log.error(event, 'ALARM: the checkpoint of the ledger is refused; keep both notes as evidence');
  }

  async #store(): Promise<void> {
    try {
      await storeCheckpointMemory(this.#folder, this.#memory);
    } catch (error) {
      this.#options.log.error({ err: error }, 'the newest checkpoint cannot be written to KEYD_STATE_FOLDER');
    }
  }
}

function hashOf(text: string): MerkleHash {
  const hash = parseMerkleHash(text);
  if (hash === undefined) throw new LedgerError('malformed-hash');
  return hash;
}
