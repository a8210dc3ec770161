import { KeydError, type Cancel, type Clock } from '@sigv4-keyd/hop-protocol';
import { TokenFailure } from '@sigv4-keyd/pkcs11-custody';
import type { Call } from './messages.js';
import type { SessionStarts } from './session-starts.js';
import type { TokenSession } from './token-session.js';

/** For so long after the last call the next one finds the session still there, milliseconds. */
const STAYS_MS = 1_000;

/**
 * A session for what brings a secret in. The library and the module leave copies of it in memory that nobody can wipe,
 * so its process ends when no more secrets come.
 */
export class PassingSession {
  readonly #starts: SessionStarts;
  readonly #timer: Clock;
  #session: Promise<TokenSession> | undefined;
  #calls = 0;
  #end: Cancel | undefined;

  constructor({ starts, timer }: { readonly starts: SessionStarts; readonly timer: Clock }) {
    this.#starts = starts;
    this.#timer = timer;
  }

  /** Rejects with KeydError 'custody-unavailable' while the token is away. */
  async call(asked: Call, body: Buffer): Promise<Buffer> {
    this.#end?.();
    this.#calls += 1;
    try {
      return await (await this.#open()).call(asked, body);
    } catch (error) {
      if (!(error instanceof TokenFailure)) throw error;
      throw new KeydError('custody-unavailable', { cause: error });
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0) this.#end = this.#timer.after(STAYS_MS, () => void this.close());
    }
  }

  async close(): Promise<void> {
    this.#end?.();
    const session = this.#session;
    this.#session = undefined;
    await session?.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  #open(): Promise<TokenSession> {
    this.#session ??= this.#starts.start().then(({ session }) => {
      session.onLost = () => (this.#session = undefined);
      return session;
    });
    const session = this.#session;
    session.catch(() => (this.#session = undefined));
    return session;
  }
}
