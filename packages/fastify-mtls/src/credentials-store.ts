import { CredentialsError } from './credentials-error.js';
import { readCredentials, type Credentials, type TlsFiles } from './credentials.js';

export interface CredentialsStoreOptions {
  /** Called after new credentials were swapped in and every listener has heard of them. */
  readonly onReload?: (credentials: Credentials) => void;
  /** Called when the files cannot be used (the old credentials stay), or when a listener threw. */
  readonly onError?: (error: Error) => void;
}

type Listener = (credentials: Credentials) => void;

/**
 * The credentials in force, and those who must know when they change. It has no timer: its owner calls `reload`, on a
 * beat, on a signal, or when a file watcher says so.
 */
export class CredentialsStore {
  readonly #files: TlsFiles;
  readonly #options: CredentialsStoreOptions;
  readonly #listeners = new Set<Listener>();
  #current: Credentials;
  #reloading: Promise<unknown> = Promise.resolve();

  private constructor(files: TlsFiles, options: CredentialsStoreOptions, current: Credentials) {
    this.#files = files;
    this.#options = options;
    this.#current = current;
  }

  /** @throws CredentialsError when there is nothing usable to start with */
  static async open(files: TlsFiles, options: CredentialsStoreOptions = {}): Promise<CredentialsStore> {
    return new CredentialsStore(files, options, await readCredentials(files));
  }

  get current(): Credentials {
    return this.#current;
  }

  /** Resolves to whether the credentials changed; never rejects. Calls at the same time take their turns. */
  reload(): Promise<boolean> {
    const turn = this.#reloading.then(() => this.#reloadOnce());
    this.#reloading = turn;
    return turn;
  }

  /** Listeners are called at once, one after the other. Returns how to stop listening. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #reloadOnce(): Promise<boolean> {
    let fresh: Credentials;
    try {
      fresh = await readCredentials(this.#files);
      this.#checkSameIdentity(fresh);
    } catch (error) {
      this.#report(error);
      return false;
    }
    if (isSame(fresh, this.#current)) return false;
    this.#current = fresh;
    for (const listener of this.#listeners) this.#notify(listener, fresh);
    this.#options.onReload?.(fresh);
    return true;
  }

  // A process was configured for one identity, its connections were judged by it: another one is a mix-up of folders.
  #checkSameIdentity(fresh: Credentials): void {
    if (fresh.spiffeId === this.#current.spiffeId) return;
    const change = `now for ${fresh.spiffeId}, not for ${this.#current.spiffeId}`;
    const message = `${this.#files.cert} is ${change}: restart the process if that is meant`;
    throw new CredentialsError('identity-changed', message);
  }

  #notify(listener: Listener, credentials: Credentials): void {
    try {
      listener(credentials);
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#options.onError?.(error instanceof Error ? error : new Error(String(error)));
  }
}

function isSame(one: Credentials, other: Credentials): boolean {
  return one.cert.equals(other.cert) && one.key.equals(other.key) && one.ca.equals(other.ca);
}
