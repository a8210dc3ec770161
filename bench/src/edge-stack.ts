import { fileURLToPath } from 'node:url';
import { CLIENT } from './edge-client.js';
import { insertAccessKey } from './rollover/made-up-access-keys.js';
import type { ProbedProcess } from './rollover/probed-process.js';
import { RolloverStack } from './rollover/rollover-stack.js';

const UPSTREAM = fileURLToPath(new URL('http/plain-upstream.js', import.meta.url));

/** A master with one access key, a region, and an upstream; proxying edges are started below them. */
export class EdgeStack {
  readonly #stack: RolloverStack;
  readonly #regionUrl: string;
  readonly #upstreamPort: number;

  private constructor(stack: RolloverStack, regionUrl: string, upstreamPort: number) {
    this.#stack = stack;
    this.#regionUrl = regionUrl;
    this.#upstreamPort = upstreamPort;
  }

  static async start(portBase: number): Promise<EdgeStack> {
    const stack = await RolloverStack.create(1, portBase);
    try {
      const { url: master } = await stack.master();
      await insertAccessKey(stack.database, stack.custodyKey, CLIENT);
      const { region, url } = await stack.region('region', master, 'used');
      const upstream = await startUpstream(stack);
      await Promise.all([region.ready(), upstream.process.ready()]);
      return new EdgeStack(stack, url, upstream.port);
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  /** Started, and not yet ready. The same name finds what it kept on disk. */
  async edge(name: string): Promise<{ readonly process: ProbedProcess; readonly port: number }> {
    const port = this.#stack.port();
    const front = {
      KEYD_PROXY_LISTEN: `127.0.0.1:${port}`,
      KEYD_UPSTREAM: `http://127.0.0.1:${this.#upstreamPort}`,
    };
    return { process: await this.#stack.edge(name, this.#regionUrl, 'used', front), port };
  }

  /** One more of what is behind the edges: a server that checks nothing. */
  bareServer(): Promise<{ readonly process: ProbedProcess; readonly port: number }> {
    return startUpstream(this.#stack);
  }

  stop(process: ProbedProcess): Promise<void> {
    return this.#stack.stop(process);
  }

  close(): Promise<void> {
    return this.#stack.close();
  }
}

async function startUpstream(
  stack: RolloverStack,
): Promise<{ readonly process: ProbedProcess; readonly port: number }> {
  const [port, health] = [stack.port(), stack.port()];
  const settings = { BENCH_PORT: String(port), BENCH_HEALTH_PORT: String(health) };
  return { process: await stack.start(`upstream-${port}`, UPSTREAM, health, settings), port };
}
