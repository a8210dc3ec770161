import type { LoadGenerator } from '../http/load-generator.js';
import type { MeasuredStack, TurnLength } from '../http/measured-stack.js';
import { FORWARD_AUTH_GET } from '../http/scenarios.js';
import { costsOf } from '../process-costs.js';

/** What came of the same requests at an edge of so many workers. */
export interface CoresTurn {
  readonly requestsASecond: number;
  readonly p99Ms: number;
  /** CPU time a request, µs, user and system: the edge's own process and all workers. */
  readonly edgeMicroseconds: number;
  /** Of whoever sends, who shares the cores. */
  readonly loadMicroseconds: number;
}

/** One that sends takes some third of the CPU time of who verifies: so many workers are kept busy by one. */
const WORKERS_A_GENERATOR = 2;

/** A new edge, alone, for one turn. The length is that of one worker: each gets as many requests. */
export async function turnOf(
  stack: MeasuredStack,
  workers: number,
  { warming, measured }: TurnLength,
): Promise<CoresTurn> {
  const { server, port } = await stack.startServer({
    program: 'edge',
    front: 'forwardAuth',
    origin: 'request-line',
    workers,
  });
  const generators: LoadGenerator[] = [];
  try {
    await server.ready();
    for (let left = workers; left > 0; left -= WORKERS_A_GENERATOR) {
      generators.push(await stack.startLoad(port, FORWARD_AUTH_GET, 'get'));
    }
    const run = (requests: number) => {
      const share = Math.ceil((requests * workers) / generators.length);
      return Promise.all(generators.map((generator) => generator.run(share)));
    };
    await run(warming);
    const edge = await server.pids();
    if (workers > 1 && edge.length !== workers + 1) throw new Error(`${edge.length - 1} of ${workers} workers serve`);
    const load = generators.map(({ pid }) => pid);
    const [edgeCpu, loadCpu] = [cpuSecondsSince(edge), cpuSecondsSince(load)];
    const answered = await run(measured);
    const [edgeSeconds, loadSeconds] = [edgeCpu(), loadCpu()];
    const requests = answered.reduce((sum, each) => sum + each.requests, 0);
    return {
      requestsASecond: requests / Math.max(...answered.map(({ seconds }) => seconds)),
      p99Ms: Math.max(...answered.map(({ p99Ms }) => p99Ms)),
      edgeMicroseconds: (edgeSeconds * 1e6) / requests,
      loadMicroseconds: (loadSeconds * 1e6) / requests,
    };
  } finally {
    await Promise.all(generators.map((generator) => generator.stop()));
    await stack.stopServer(server);
  }
}

/** The kernel counts in ticks: what took less is told as one. */
const TICK_SECONDS = 0.01;

/** Begins to count what these processes take together. */
function cpuSecondsSince(pids: readonly number[]): () => number {
  const soFar = (): number => pids.reduce((sum, pid) => sum + costsOf(pid).cpuSeconds, 0);
  const before = soFar();
  return () => Math.max(TICK_SECONDS, soFar() - before);
}
