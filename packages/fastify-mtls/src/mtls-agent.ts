import { Agent, Dispatcher } from 'undici';
import type { CredentialsStore } from './credentials-store.js';
import type { Credentials } from './credentials.js';
import { CredentialsError } from './credentials-error.js';
import { ExplainingHandler } from './explaining-handler.js';
import { mtlsConnector } from './mtls-connector.js';
import type { ServerRules } from './server-verification.js';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.js';

export interface MtlsAgentOptions {
  readonly credentials: CredentialsStore;
  /** Which servers of our own trust domain may be asked. */
  readonly acceptsServer: (id: SpiffeId) => boolean;
  /** Connection and handshake together. */
  readonly connectTimeoutMilliseconds?: number;
  /** Limits of undici's pool: connections an origin, header and body timeouts, keep-alive. */
  readonly pool?: Pick<
    Agent.Options,
    'connections' | 'headersTimeout' | 'bodyTimeout' | 'keepAliveTimeout' | 'keepAliveMaxTimeout' | 'maxHeaderSize'
  >;
}

const CONNECT_TIMEOUT_MILLISECONDS = 5_000;

/** Creates a dispatcher for undici's `request` and `fetch` (not for Node's built-in `fetch`, which has its own undici). */
export function createMtlsAgent(options: MtlsAgentOptions): MtlsAgent {
  return new MtlsAgent(options);
}

/**
 * Requests over mutual TLS 1.3. New credentials take effect with the next request; those under way end on the connections
 * that they began on.
 */
export class MtlsAgent extends Dispatcher {
  readonly #options: MtlsAgentOptions;
  readonly #unfollow: () => void;
  readonly #retiring = new Set<Agent>();
  #current: Agent;

  constructor(options: MtlsAgentOptions) {
    super();
    this.#options = options;
    this.#current = connectionsWith(options.credentials.current, options);
    this.#unfollow = options.credentials.onChange((credentials) => this.#replace(credentials));
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#current.compose(explainFailures).dispatch(options, handler);
  }

  /** Waits for the requests under way. */
  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | undefined {
    this.#unfollow();
    const closed = Promise.all([this.#current.close(), ...[...this.#retiring].map(whenClosed)]).then(() => undefined);
    if (callback === undefined) return closed;
    void closed.then(callback);
    return undefined;
  }
}
