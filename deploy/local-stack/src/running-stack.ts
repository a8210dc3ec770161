import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** What `npm start -- --json` tells, as far as programs that drive a stack use it. */
const runningFacts = z.looseObject({
  edges: z.array(z.object({ region: z.string(), service: z.string(), proxy: z.url(), forwardAuth: z.url() })),
  regions: z.array(z.object({ region: z.string(), url: z.url() })),
  master: z.object({ url: z.url() }),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  credentials: z.string(),
  dir: z.string(),
  pids: z.record(z.string(), z.number()),
});
export type RunningFacts = z.infer<typeof runningFacts>;

/** The stack of `npm start` as a process of its own, in a new folder: for tests and measurements of the whole. */
export class RunningStack {
  readonly facts: RunningFacts;
  readonly #process: ChildProcess;

  private constructor(facts: RunningFacts, child: ChildProcess) {
    this.facts = facts;
    this.#process = child;
  }

  static async start(portBase: number): Promise<RunningStack> {
    const dir = join(mkdtempSync(join(tmpdir(), 'keyd-stack-')), 'state');
    const program = fileURLToPath(new URL('start.js', import.meta.url));
    const child = spawn(process.execPath, [program, '--json', '--dir', dir, '--port-base', String(portBase)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error('the stack did not start; what it said stands above');
    return new RunningStack(runningFacts.parse(JSON.parse(first.value)), child);
  }

  /** The address of an edge's reverse proxy. */
  edge(region: string, service: string): string {
    const edge = this.facts.edges.find((one) => one.region === region && one.service === service);
    if (!edge) throw new Error(`no edge for ${service} in ${region}`);
    return edge.proxy;
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await gone;
    rmSync(join(this.facts.dir, '..'), { recursive: true, force: true });
  }
}
