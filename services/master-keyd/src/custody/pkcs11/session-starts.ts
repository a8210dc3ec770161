import { isDeepStrictEqual } from 'node:util';
import { TokenFailure } from '@sigv4-keyd/pkcs11-custody';
import type { KeyIds } from './messages.js';
import { TokenSession, type StartedSession, type TokenSessionOptions } from './token-session.js';

/**
 * Starts sessions, one after the other. A PIN that was refused once is never tried again: tokens lock themselves after
 * a few. And all sessions find the same keys, or it is another token.
 */
export class SessionStarts {
  readonly #options: TokenSessionOptions;
  #last: Promise<unknown> = Promise.resolve();
  #refusal: TokenFailure | undefined;
  #keyIds: KeyIds | undefined;

  constructor(options: TokenSessionOptions) {
    this.#options = options;
  }

  /** Whether it is of no use to start any more. */
  get isOver(): boolean {
    return this.#refusal !== undefined;
  }

  /** Rejects with TokenFailure. */
  start(): Promise<StartedSession> {
    const started = this.#last.then(() => this.#start());
    this.#last = started.catch(() => undefined);
    return started;
  }

  async #start(): Promise<StartedSession> {
    const started = await this.#tried().catch((error: unknown) => {
      // SoftHSM does not see a token that another process is logging in to at this very moment.
      if (error instanceof TokenFailure && error.reason === 'token-absent') return this.#tried();
      throw error;
    });
    this.#keyIds ??= started.keyIds;
    if (isDeepStrictEqual(started.keyIds, this.#keyIds)) return started;
    await started.session.close();
    throw new TokenFailure('keys-unsuitable', 'the token has other keys now: restart master-keyd to use them');
  }

  async #tried(): Promise<StartedSession> {
    if (this.#refusal) throw this.#refusal;
    try {
      return await TokenSession.start(this.#options);
    } catch (error) {
      if (error instanceof TokenFailure && error.reason === 'pin-refused') this.#refusal = error;
      throw error;
    }
  }
}
