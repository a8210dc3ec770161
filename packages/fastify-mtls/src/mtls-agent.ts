import { Agent, Dispatcher } from 'undici';
import type { CredentialsStore } from './credentials-store.js';
import type { Credentials } from './credentials.js';
import { ExplainingHandler } from './explaining-handler.js';
import { mtlsConnector } from './mtls-connector.js';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.js';
import { systemTimer, type Timer } from './timer.js';

export interface MtlsAgentOptions {
  readonly credentials: CredentialsStore;
  /** Which servers of our own trust domain may be asked. */
  readonly acceptsServer: (id: SpiffeId) => boolean;
  /** Connection and handshake together. */
  readonly connectTimeoutMilliseconds?: number;
  /** Rings its end; by default, the system's. */
  readonly timer?: Timer | undefined;
  /** Limits of undici's pool: connections an origin, header and body timeouts, keep-alive. */
  readonly pool?: Pick<
    Agent.Options,
    'connections' | 'headersTimeout' | 'bodyTimeout' | 'keepAliveTimeout' | 'keepAliveMaxTimeout' | 'maxHeaderSize'
  >;
}

const CONNECT_TIMEOUT_MILLISECONDS = 5_000;

/**
 * Creates a dispatcher for undici's `request` and `fetch` (Node's built-in `fetch` is of another undici).
 * @throws TypeError when the certificate of the store is for no SPIFFE id
 */
export function createMtlsAgent(options: MtlsAgentOptions): MtlsAgent {
  return new MtlsAgent(options);
}

/**
 * Requests over mutual TLS 1.3. New credentials take effect with the next request; requests under way end on the
 * connections that they began on.
 */
export class MtlsAgent extends Dispatcher {
  readonly #unfollow: () => void;
  readonly #retiring = new Set<Agent>();
  #current: Agent;
  #explaining: Dispatcher;

  constructor(options: MtlsAgentOptions) {
    super();
    this.#current = agentWith(options.credentials.current, options);
    this.#explaining = this.#current.compose(explainFailures);
    this.#unfollow = options.credentials.onChange((fresh) => this.#replace(agentWith(fresh, options)));
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#explaining.dispatch(options, handler);
  }

  /** Waits for the requests under way. */
  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | undefined {
    this.#unfollow();
    return settle(Promise.all([...this.#retiring, this.#current].map((agent) => agent.close())), callback);
  }

  /** Fails the requests under way, with the error if one is given. */
  override destroy(error?: Error | null): Promise<void>;
  override destroy(callback: () => void): void;
  override destroy(error: Error | null, callback: () => void): void;
  override destroy(first: Error | null | (() => void) = null, second?: () => void): Promise<void> | undefined {
    this.#unfollow();
    const [error, callback] = typeof first === 'function' ? [null, first] : [first, second];
    return settle(Promise.all([...this.#retiring, this.#current].map((agent) => agent.destroy(error))), callback);
  }

  #replace(agent: Agent): void {
    const old = this.#current;
    this.#current = agent;
    this.#explaining = agent.compose(explainFailures);
    this.#retiring.add(old);
    void old.close().then(() => this.#retiring.delete(old));
  }
}

function agentWith(credentials: Credentials, options: MtlsAgentOptions): Agent {
  const own = parseSpiffeId(credentials.spiffeId);
  if (own === undefined) throw new TypeError(`not a SPIFFE id: ${credentials.spiffeId}`);
  const rules = { trustDomain: own.trustDomain, acceptsServer: options.acceptsServer };
  const { connectTimeoutMilliseconds = CONNECT_TIMEOUT_MILLISECONDS, timer = systemTimer } = options;
  const time = { withinMilliseconds: connectTimeoutMilliseconds, timer };
  return new Agent({ ...options.pool, connect: mtlsConnector(credentials, rules, time) });
}

function explainFailures(dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch {
  return (options, handler) => dispatch(options, new ExplainingHandler(handler));
}

// undici's methods answer to a callback when they are given one, else with a promise.
function settle(work: Promise<unknown>, callback: (() => void) | undefined): Promise<void> | undefined {
  const done = work.then(() => undefined);
  if (callback === undefined) return done;
  void done.then(callback);
  return undefined;
}
