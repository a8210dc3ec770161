import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** What `npm start -- --json` tells a script, as far as tests use it. */
const stackFacts = z.looseObject({
  edges: z.array(z.object({ region: z.string(), service: z.string(), proxy: z.url(), forwardAuth: z.url() })),
  master: z.object({ url: z.url() }),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  credentials: z.string(),
  dir: z.string(),
});
export type StackFacts = z.infer<typeof stackFacts>;

/** The stack of `npm start`, in a folder and on ports of its own. */
export class RunningStack {
  readonly facts: StackFacts;
  readonly #process: ChildProcess;

  private constructor(facts: StackFacts, child: ChildProcess) {
    this.facts = facts;
    this.#process = child;
  }

  static async start(portBase: number): Promise<RunningStack> {
    const dir = join(mkdtempSync(join(tmpdir(), 'keyd-stack-')), 'state');
    const program = join(process.cwd(), 'deploy/local-stack/dist/start.js');
    const child = spawn(process.execPath, [program, '--json', '--dir', dir, '--port-base', String(portBase)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the stack did not start: exit code ${String(code)}`);
    });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    ended.catch(() => undefined);
    return new RunningStack(stackFacts.parse(JSON.parse(line)), child);
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
