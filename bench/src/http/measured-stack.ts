import { fileURLToPath } from 'node:url';
import { pin } from '../pinning.js';
import { insertAccessKey } from '../rollover/made-up-access-keys.js';
import type { ProbedProcess } from '../rollover/probed-process.js';
import { REGION, RolloverStack, SERVICE } from '../rollover/rollover-stack.js';
import { LoadGenerator } from './load-generator.js';
import type { LoadAnswered } from './load.js';
import { Nginx } from './nginx.js';
import type { Contender, Scenario, Server } from './scenarios.js';

const ACCESS_KEY = {
  accessKeyId: 'AKIABENCHMARKS0001',
  secretAccessKey: 'a made-up secret for measuring only!',
};

/** What a server took for what it was asked. */
export interface Turn extends LoadAnswered {
  /** CPU time of the server's process, user and system, µs a request. */
  readonly microseconds: number;
}

/**
 * How many requests a server gets before they count, and while they count. Not for how long: what a compiler made of
 * the code by then is the same then, however busy the machine is.
 */
export interface TurnLength {
  readonly warming: number;
  readonly measured: number;
}

/** The server that is measured has a core for itself. */
const CORES = { server: 0, load: 1 } as const;

/** A master, a region and an upstream that stay; each server that is measured is a new process. */
export class MeasuredStack {
  readonly #stack: RolloverStack;
  readonly #regionUrl: string;
  readonly #upstreamPort: number;
  #servers = 0;
  #isPinned = true;

  private constructor(stack: RolloverStack, regionUrl: string, upstreamPort: number) {
    this.#stack = stack;
    this.#regionUrl = regionUrl;
    this.#upstreamPort = upstreamPort;
  }

  static async start(portBase: number): Promise<MeasuredStack> {
    const stack = await RolloverStack.create(1, portBase);
    try {
      const { url: master } = await stack.master();
      await insertAccessKey(stack.database, stack.custodyKey, ACCESS_KEY);
      const { region, url } = await stack.region('region', master, 'used');
      const [upstreamPort, health] = [stack.port(), stack.port()];
      const upstream = await stack.start('upstream', programOf('plain-upstream'), health, {
        BENCH_PORT: String(upstreamPort),
        BENCH_HEALTH_PORT: String(health),
      });
      await Promise.all([region.ready(), upstream.ready()]);
      return new MeasuredStack(stack, url, upstreamPort);
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  /** Whether servers had a core for themselves wherever they were to have one. */
  get isPinned(): boolean {
    return this.#isPinned;
  }

  /** One server, alone, for one turn. */
  async turn(scenario: Scenario, contender: Contender, { warming, measured }: TurnLength): Promise<Turn> {
    const { server, port } = await this.startServer(contender.server);
    let nginx: Nginx | undefined;
    let load: LoadGenerator | undefined;
    try {
      await server.ready();
      const listen = this.#stack.port();
      if (scenario.third === 'nginx') {
        const names = { listen, forwardAuth: port, application: this.#upstreamPort };
        nginx = await Nginx.start(this.#stack.folder('nginx'), names);
      }
      const isApart = scenario.third !== 'nginx' && this.#pin(server.pid, CORES.server);
      const spins = isApart && scenario.third === 'nobody';
      load = await this.startLoad(nginx ? listen : port, scenario, contender.kind, spins);
      if (isApart) this.#pin(load.pid, CORES.load);
      await load.run(warming);
      await server.measure();
      const answered = await load.run(measured);
      const { processorMs } = await server.measure();
      return { ...answered, microseconds: (processorMs * 1000) / answered.requests };
    } finally {
      await load?.stop();
      await nginx?.stop();
      await this.stopServer(server);
    }
  }

  /** Whoever sends the requests of a scenario, to a port. `spins`: nobody else needs its core. */
  startLoad(port: number, scenario: Scenario, kind: Contender['kind'], spins = false): Promise<LoadGenerator> {
    const { connections, requests, bodyBytes } = scenario;
    const scope = { region: REGION, service: SERVICE };
    return LoadGenerator.start({ port, kind, connections, requests, bodyBytes, spins, ...scope, ...ACCESS_KEY });
  }

  stopServer(server: ProbedProcess): Promise<void> {
    return this.#stack.stop(server);
  }

  close(): Promise<void> {
    return this.#stack.close();
  }

  #pin(pid: number, core: number): boolean {
    this.#isPinned &&= pin(pid, core);
    return this.#isPinned;
  }

  /** A new process of it, not yet ready. */
  async startServer(kind: Server): Promise<{ readonly server: ProbedProcess; readonly port: number }> {
    const [port, health] = [this.#stack.port(), this.#stack.port()];
    this.#servers += 1;
    const upstream = `http://127.0.0.1:${this.#upstreamPort}`;
    const name = `${kind.program}-${this.#servers}`;
    if (kind.program !== 'edge') {
      const settings = { BENCH_PORT: String(port), BENCH_HEALTH_PORT: String(health), BENCH_UPSTREAM: upstream };
      return { server: await this.#stack.start(name, programOf(kind.program), health, settings), port };
    }
    const listen = `127.0.0.1:${port}`;
    const front =
      kind.front === 'proxy'
        ? { KEYD_PROXY_LISTEN: listen, KEYD_UPSTREAM: upstream }
        : { KEYD_FORWARD_AUTH_LISTEN: listen, KEYD_FORWARD_AUTH_FROM: kind.origin };
    // With the line of every accepted request, as deployed.
    const settings = { KEYD_LOG_LEVEL: 'info', KEYD_WORKERS: String(kind.workers), ...front };
    return { server: await this.#stack.edge(name, this.#regionUrl, 'used', settings), port };
  }
}

function programOf(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}
