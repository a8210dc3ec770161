import { KeydError, type Cancel, type Clock } from '@sigv4-keyd/hop-protocol';
import { TokenFailure } from '@sigv4-keyd/pkcs11-custody';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import type { Call, KeyIds } from './messages.js';
import type { SessionStarts } from './session-starts.js';
import type { StartedSession, TokenSession } from './token-session.js';

/** Between two tries to have a session again, milliseconds: the first, and the longest. */
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [500, 30_000];

export interface TokenSessionsOptions {
  readonly starts: SessionStarts;
  /** Rings in real time. */
  readonly timer: Clock;
  /** How many are held: as many calls are made at a time. */
  readonly sessions: number;
  readonly log: Logger;
}

/**
 * Sessions with the token, a process each. One that is lost is replaced; while there is none, calls are refused at once
 * and the token is tried again, ever more rarely.
 */
export class TokenSessions {
  readonly #options: TokenSessionsOptions;
  readonly #live = new Set<TokenSession>();
  /** Of the keys, in the order of their labels. */
  readonly keyIds: KeyIds;
  #wait = FIRST_WAIT_MS;
  #retry: Cancel | undefined;
  #isStarting = false;
  #isClosed = false;
  #problem: TokenFailure | undefined;

  private constructor(options: TokenSessionsOptions, { session, keyIds }: StartedSession) {
    this.#options = options;
    this.keyIds = keyIds;
    this.#hold(session);
  }

  /** Resolves with the first session; the others follow. Rejects with TokenFailure. */
  static async open(options: TokenSessionsOptions): Promise<TokenSessions> {
    const sessions = new TokenSessions(options, await options.starts.start());
    void sessions.#fill();
    return sessions;
  }

  /** Rejects with SealBroken for this one secret, with KeydError 'custody-unavailable' while the token is away. */
  async call(asked: Call, body: Buffer): Promise<Buffer> {
    const [idlest] = [...this.#live].sort((one, other) => one.pending - other.pending);
    if (!idlest) throw this.#unavailable(this.#problem);
    try {
      return await idlest.call(asked, body);
    } catch (error) {
      throw error instanceof TokenFailure ? this.#unavailable(error) : error;
    }
  }

  /** Those that are well, as far as is known. */
  get held(): number {
    return this.#live.size;
  }

  warnings(): readonly string[] {
    if (this.#live.size > 0 || !this.#problem) return [];
    return [`the token that has the keys of the secrets is away: ${this.#problem.message}`];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.();
    await Promise.all([...this.#live].map((session) => session.close()));
  }

  #hold(session: TokenSession): void {
    this.#live.add(session);
    session.onLost = (failure) => {
      this.#live.delete(session);
      if (this.#isClosed) return;
      this.#note(failure);
      void this.#fill();
    };
  }

  async #fill(): Promise<void> {
    if (this.#isStarting) return;
    this.#isStarting = true;
    try {
      while (this.#mayStart()) {
        const { session } = await this.#options.starts.start();
        if (this.#isClosed) await session.close();
        else this.#hold(session);
        this.#options.log.info({ event: 'token-session', sessions: this.#live.size }, 'a session with the token');
        this.#wait = FIRST_WAIT_MS;
      }
    } catch (error) {
      if (!(error instanceof TokenFailure)) throw error;
      this.#note(error);
      this.#tryLater();
    } finally {
      this.#isStarting = false;
    }
  }

  #mayStart(): boolean {
    return !this.#isClosed && this.#live.size < this.#options.sessions;
  }

  #tryLater(): void {
    if (this.#isClosed || this.#options.starts.isOver) return;
    this.#retry = this.#options.timer.after(this.#wait, () => void this.#fill());
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
  }

  #note(failure: TokenFailure): void {
    this.#problem = failure;
    this.#options.log.error(
      { event: 'token-session-lost', reason: failure.reason, sessions: this.#live.size },
      `a session with the token is lost: ${failure.message}`,
    );
  }

  #unavailable(cause: unknown): KeydError {
    return new KeydError('custody-unavailable', { cause, retryAfterSeconds: Math.ceil(this.#wait / 1000) });
  }
}
