import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A session as its tab holds it: the cookie, which no script reads, and what the page shows beside it. */
export interface OpenedSession {
  readonly cookie: string;
  readonly page: string;
}

/**
 * The one session of a running console. Its link buys it once. Cookies of a machine go to all of its ports, so that the
 * cookie alone opens nothing; nor does what the page knows, without the cookie.
 */
export class ConsoleSession {
  readonly token: string;
  readonly #random: (bytes: number) => Buffer;
  #isTokenGood = true;
  #opened: OpenedSession | undefined;

  constructor(random: (bytes: number) => Buffer = randomBytes) {
    this.#random = random;
    this.token = this.#secret();
  }

  /** Undefined for another token, and for one that was used. */
  open(token: string): OpenedSession | undefined {
    if (!this.#isTokenGood || !isSame(token, this.token)) return undefined;
    this.#isTokenGood = false;
    this.#opened = { cookie: this.#secret(), page: this.#secret() };
    return this.#opened;
  }

  isOpen({
    cookie = '',
    page = '',
  }: {
    readonly cookie?: string | undefined;
    readonly page?: string | undefined;
  }): boolean {
    const opened = this.#opened;
    return opened !== undefined && isSame(cookie, opened.cookie) && isSame(page, opened.page);
  }

  #secret(): string {
    return this.#random(32).toString('base64url');
  }
}

/** Takes the same time whatever is alike. */
function isSame(given: string, right: string): boolean {
  return timingSafeEqual(digest(given), digest(right));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
