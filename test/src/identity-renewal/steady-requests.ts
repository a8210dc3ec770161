import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { createMtlsAgent, CredentialsStore, type TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { FEED_PATH } from '@sigv4-keyd/hop-protocol';
import type { Test } from 'tap';
import { request } from 'undici';
import { send, type Message } from '../edge-verifier/client.js';
import { REGION, type RenewingTiers } from './renewing-tiers.js';

/** One request, and how it went: 'served' or whatever else. */
type Ask = () => Promise<string>;

/** A client with files of its own, which are renewed as those of the tiers are. */
export interface HopClient {
  readonly files: TlsFiles;
  readonly reload: () => Promise<unknown>;
}

/** `kept`: on connections that are kept open; `new`: each request on a connection of its own. */
type Lane = 'kept' | 'new';

/**
 * Asks without a pause, and remembers what did not go well. One request is under way in each lane at any time, on each
 * of its ways in turn: more at once would only keep the tiers from their other work.
 */
export class SteadyRequests {
  readonly lost: string[] = [];
  readonly #served = new Map<string, number>();
  readonly #ways: Readonly<Record<Lane, { readonly way: string; readonly ask: Ask }[]>> = { kept: [], new: [] };
  #loops: readonly Promise<void>[] = [];
  #isOver = false;

  /** One more way to ask, from the start on. */
  add(lane: Lane, way: string, ask: Ask): void {
    this.#served.set(`${way}, ${lane}`, 0);
    this.#ways[lane].push({ way: `${way}, ${lane}`, ask });
  }

  start(): void {
    this.#loops = [this.#loop('kept'), this.#loop('new')];
  }

  /** Waits until each way was served this many times more. */
  async more(times = 3): Promise<void> {
    const goals = [...this.#served].map(([way, served]) => [way, served + times] as const);
    const isThere = (): boolean => goals.every(([way, goal]) => (this.#served.get(way) ?? 0) >= goal);
    while (!isThere() && this.lost.length === 0) await new Promise(setImmediate);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #loop(lane: Lane): Promise<void> {
    while (!this.#isOver) {
      for (const { way, ask } of this.#ways[lane]) {
        const outcome = await ask().catch((error: unknown) => String(error));
        if (outcome === 'served') this.#served.set(way, (this.#served.get(way) ?? 0) + 1);
        else this.lost.push(`${way}: ${outcome}`);
        await new Promise(setImmediate);
      }
    }
  }
}

/** Clients of every front of the edge, and of both hops; each on kept connections and on a new one a request. */
export async function requestsEverywhere(
  t: Test,
  stack: RenewingTiers,
  message: () => Message,
): Promise<{ readonly requests: SteadyRequests; readonly hopClients: readonly HopClient[] }> {
  const requests = new SteadyRequests();
  const { addresses } = stack.tiers.edge.service;
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  const keptToAuth = new Agent({ keepAlive: true, maxSockets: 1 });
  const keptTls = new TlsAgent({ keepAlive: true, maxSockets: 1 });
  const closing: (() => unknown)[] = [kept, keptToAuth, keptTls].map((agent) => () => agent.destroy());
  const front = (way: string, good: number, address: string | undefined, agent: Agent, isTls = false): void => {
    const tls = isTls ? { tls: { rejectUnauthorized: false } } : {};
    const ask = async (options: Parameters<typeof send>[2]): Promise<string> => {
      const { status, headers } = await send(address ?? '', message(), options);
      return status === good ? 'served' : `${status} ${String(headers['x-keyd-reason'])}`;
    };
    requests.add('kept', way, () => ask({ ...tls, agent }));
    requests.add('new', way, () => ask(tls));
  };
  front('proxy', 200, addresses['proxy'], kept);
  front('proxy over TLS', 200, addresses['proxyTls'], keptTls, true);
  front('forward auth', 204, addresses['forwardAuth'], keptToAuth);

  const hops = [
    ['region', { role: 'edge', region: REGION, service: 's3', name: 'e2' }],
    ['master', { role: 'region', region: REGION, name: 'r2' }],
  ] as const;
  const hopClients: HopClient[] = [];
  for (const [server, identity] of hops) {
    const files = await stack.certificates.filesOf(identity);
    const credentials = await CredentialsStore.open(files);
    const acceptsServer = ({ segments }: { readonly segments: readonly string[] }): boolean => segments[0] === server;
    const url = `https://${stack.tiers[server].service.addresses['hop'] ?? ''}${FEED_PATH}`;
    const agent = createMtlsAgent({ credentials, acceptsServer });
    closing.push(() => agent.close());
    const ask = async (dispatcher: typeof agent): Promise<string> => {
      const { statusCode, body } = await request(url, { dispatcher });
      await body.dump();
      return statusCode === 200 ? 'served' : String(statusCode);
    };
    requests.add('kept', `hop to ${server}`, () => ask(agent));
    requests.add('new', `hop to ${server}`, async () => {
      const own = createMtlsAgent({ credentials, acceptsServer });
      try {
        return await ask(own);
      } finally {
        await own.close();
      }
    });
    hopClients.push({ files, reload: () => credentials.reload() });
  }
  requests.start();
  t.teardown(async () => {
    await requests.stop();
    for (const close of closing) await close();
  });
  return { requests, hopClients };
}
