import { Server as TlsServer } from 'node:tls';
import { every, type Cancel } from '@sigv4-keyd/hop-protocol';
import { listen, type ListenAddress } from '@sigv4-keyd/service-skeleton';
import type { Edge } from './edge.js';
import type { FrontSettings } from './front-settings.js';
import { createForwardAuthApp } from './forward-auth/app.js';
import { ForwardAuth } from './forward-auth/forward-auth.js';
import type { FrontServer } from './front-server.js';
import { acceptedModes } from './payload-modes.js';
import { createProxyApp } from './proxy/app.js';
import { PublicCertificate } from './proxy/public-certificate.js';
import { ReverseProxy } from './proxy/reverse-proxy.js';
import { Upstream } from './proxy/upstream.js';
import type { BodyRules } from './proxy/verified-payload.js';

export interface RunningFronts {
  readonly addresses: Readonly<Record<string, string>>;
  /** Reads the public certificate again. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** How often the public certificate's files are looked at, milliseconds. */
const RELOAD_EVERY_MS = 10_000;

/** Starts every front that is configured. */
export async function startFronts(edge: Edge, configuration: FrontSettings): Promise<RunningFronts> {
  const fronts = new Fronts(edge);
  try {
    await fronts.start(configuration);
    return fronts;
  } catch (error) {
    await fronts.close();
    throw error;
  }
}

class Fronts implements RunningFronts {
  readonly addresses: Record<string, string> = {};
  readonly #edge: Edge;
  readonly #apps: FrontServer[] = [];
  readonly #reloads: (() => Promise<void>)[] = [];
  #stopReloading: Cancel = () => undefined;
  #upstream: Upstream | undefined;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  async start(configuration: FrontSettings): Promise<void> {
    const { proxyListen, forwardAuthListen } = configuration;
    const edge = this.#edge;
    if (configuration.upstream) {
      this.#upstream = new Upstream(configuration.upstream, configuration.upstreamTimeout * 1000);
      const proxy = reverseProxy(edge, this.#upstream, configuration);
      if (proxyListen) await this.#listen('proxy', createProxyApp(edge, proxy), proxyListen, 'KEYD_PROXY_LISTEN');
      await this.#startTls(proxy, configuration);
    }
    if (forwardAuthListen) {
      const { forwardAuthFrom: origin, forwardAuthBodies: bodies } = configuration;
      const rules = { origin, bodies, ...payloadRules(edge, configuration) };
      const app = createForwardAuthApp(edge, new ForwardAuth(edge, rules));
      await this.#listen('forwardAuth', app, forwardAuthListen, 'KEYD_FORWARD_AUTH_LISTEN');
    }
    this.#stopReloading = every(edge.clock, RELOAD_EVERY_MS, () => this.reload());
  }

  async reload(): Promise<void> {
    for (const reload of this.#reloads) await reload();
  }

  async close(): Promise<void> {
    this.#stopReloading();
    this.#edge.refusalPace.release();
    await Promise.all(this.#apps.map((app) => app.close()));
    await this.#upstream?.close();
  }

  async #startTls(proxy: ReverseProxy, configuration: FrontSettings): Promise<void> {
    const edge = this.#edge;
    const { proxyTlsListen, proxyTlsCert: cert, proxyTlsKey: key } = configuration;
    if (!proxyTlsListen || cert === undefined || key === undefined) return;
    const certificate = await PublicCertificate.open({ cert, key }, edge.log);
    const app = createProxyApp(edge, proxy, certificate.options());
    const { server } = app;
    if (server instanceof TlsServer) this.#reloads.push(() => certificate.reload(server));
    await this.#listen('proxyTls', app, proxyTlsListen, 'KEYD_PROXY_TLS_LISTEN');
  }

  async #listen(name: string, app: FrontServer, at: ListenAddress, setting: string): Promise<void> {
    this.#apps.push(app);
    this.addresses[name] = await listen(app, at, setting);
  }
}

function reverseProxy(edge: Edge, upstream: Upstream, configuration: FrontSettings): ReverseProxy {
  const { bodyInMemory, spoolFolder, chunkedUpstream, forwardAuthorization } = configuration;
  return new ReverseProxy(edge, upstream, {
    ...payloadRules(edge, configuration),
    holding: { inMemory: bodyInMemory, spoolFolder },
    chunkedForm: chunkedUpstream,
    forwardAuthorization,
  });
}

/** What every front asks of a body. */
function payloadRules({ policy }: Edge, configuration: FrontSettings): BodyRules {
  const { payloadModes, largestBody, bodyIdle, smallestChunk, largestChunk } = configuration;
  return {
    limits: { largest: largestBody, idleMs: bodyIdle * 1000 },
    chunks: { smallest: smallestChunk, largest: largestChunk },
    // The policy itself takes this mode: a request without a body leaves nothing unsigned.
    unsignedPayload: acceptedModes(payloadModes, policy.service).includes('unsigned'),
  };
}
