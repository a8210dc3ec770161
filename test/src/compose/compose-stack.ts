import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EMPTY_BODY_SHA256, signRequest } from '@sigv4-keyd/sigv4-core';
import * as compose from 'docker-compose';
import type { Test } from 'tap';
import { z } from 'zod';
import { composeProgram } from './compose-program.js';
import { filesOf, type Variant } from './stack-files.js';

/** Where the edges answer: not where a stack that somebody runs on this machine does. */
export const PORTS = {
  PORT_US_EAST_1_S3: 27_481,
  PORT_US_EAST_1_EXECUTE_API: 27_482,
  PORT_US_EAST_1_S3_2: 27_483,
  PORT_EU_WEST_1_S3: 27_491,
  PORT_EU_WEST_1_EXECUTE_API: 27_492,
  PORT_GRAFANA: 27_490,
} as const;

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const createdAccessKey = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

const container = z.object({
  Id: z.string(),
  Name: z.string(),
  State: z.object({
    Status: z.string(),
    Pid: z.number(),
    StartedAt: z.string(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
  Config: z.object({ User: z.string(), Labels: z.record(z.string(), z.string()) }),
  HostConfig: z.looseObject({ Memory: z.number() }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })) }),
});

export type Container = z.output<typeof container>;

/** How long anything may take to become healthy: images and databases are slow on a machine that does other things. */
const PATIENCE_MS = 300_000;

/** A stack that was really brought up, under a name of its own; it goes, with its volumes, when the test ends. */
export class ComposeStack {
  readonly project: string;
  readonly #files: readonly string[];
  readonly #options: compose.IDockerComposeOptions;

  private constructor(project: string, files: readonly string[], options: compose.IDockerComposeOptions) {
    this.project = project;
    this.#files = files;
    this.#options = options;
  }

  /** Builds the images, brings everything up, and waits until it is healthy, but for what is not ready by itself. */
  static async up(t: Test, variant: Variant, notReady: readonly string[] = []): Promise<ComposeStack> {
    const project = `keyd-test-${process.pid}`;
    const hosts = Object.values(PORTS).map((port) => `127.0.0.1:${port}`);
    const [program = 'docker-compose'] = composeProgram() ?? [];
    const stack = new ComposeStack(project, filesOf(variant), {
      cwd: process.cwd(),
      executable: program === 'docker' ? { executablePath: program } : { executablePath: program, standalone: true },
      config: [...filesOf(variant)],
      composeOptions: [
        ['--project-name', project],
        ['--project-directory', process.cwd()],
        ...variant.profiles.map((profile): [string, string] => ['--profile', profile]),
      ],
      env: {
        ...process.env,
        ...Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [name, String(port)])),
        EXTERNAL_HOSTS: hosts.join(','),
      },
    });
    t.teardown(() => stack.destroy());
    await compose.buildAll(stack.#options);
    await compose.upAll(stack.#options);
    await stack.allHealthy(notReady);
    return stack;
  }

  /** `docker compose run --rm SERVICE ...`, with what it wrote; variables are for Compose's own substitution. */
  async run(service: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const options = { ...this.#options, env: { ...this.#options.env, ...env }, commandOptions: ['--rm'] };
    return (await compose.run(service, [...command], options)).out;
  }

  keydctl(...command: readonly string[]): Promise<string> {
    return this.run('keydctl', command);
  }

  /**
   * A line of the documentation as it stands there, in `folder`: `docker compose` means this stack. What it wrote; it
   * throws when the line fails.
   */
  async line(text: string, folder: string): Promise<string> {
    const { cwd = '.', env } = this.#options;
    const files = this.#files.flatMap((file) => ['-f', join(cwd, file)]);
    const own = [...(composeProgram() ?? []), '--project-name', this.project, '--project-directory', cwd, ...files];
    const command = text.replaceAll('docker compose', own.join(' '));
    return (await promisify(execFile)('sh', ['-c', command], { cwd: folder, env })).stdout;
  }

  /** Runs a command inside a service that runs. */
  async exec(service: string, command: readonly string[]): Promise<string> {
    return (await compose.exec(service, [...command], this.#options)).out;
  }

  /** Everything is gone, with all volumes. */
  async destroy(): Promise<void> {
    await compose.downAll({ ...this.#options, commandOptions: ['--volumes', '--remove-orphans'] });
  }

  async stop(...services: readonly string[]): Promise<void> {
    await compose.stopMany(this.#options, ...services);
  }

  async start(...services: readonly string[]): Promise<void> {
    await compose.upMany([...services], this.#options);
  }

  async newAccessKey(): Promise<AccessKey> {
    return createdAccessKey.parse(
      JSON.parse(await this.keydctl('access-key', 'create', '--owner', 'compose-test', '--json')),
    );
  }

  containers(service?: string): readonly Container[] {
    const labels = [
      `com.docker.compose.project=${this.project}`,
      ...(service ? [`com.docker.compose.service=${service}`] : []),
    ];
    const ids = docker('ps', '-aq', ...labels.flatMap((label) => ['--filter', `label=${label}`])).split('\n');
    return z.array(container).parse(JSON.parse(docker('inspect', ...ids)));
  }

  container(service: string): Container {
    const [first] = this.containers(service);
    if (!first) throw new Error(`there is no container of ${service}`);
    return first;
  }

  logs(service: string): string {
    return docker('logs', this.container(service).Id);
  }

  /**
   * Ends the process of a service with SIGKILL, from outside, as the kernel does when memory is short. `docker kill` is
   * what an operator does: the restart policy would leave the service down.
   */
  kill(service: string): void {
    const { Pid } = this.container(service).State;
    const kill = `process.kill(${Pid}, 'SIGKILL')`;
    docker('run', '--rm', '--pid=host', '--user=0', '--entrypoint=node', 'sigv4-keyd/echo-upstream', '-e', kill);
  }

  /** Waits until every container with a health check is healthy, for as long as it takes. */
  async allHealthy(butFor: readonly string[] = []): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const ill = this.containers().filter(
        ({ State: { Health }, Config: { Labels } }) =>
          Health && Health.Status !== 'healthy' && !butFor.includes(Labels['com.docker.compose.service'] ?? ''),
      );
      if (ill.length === 0) return;
      if (Date.now() > deadline) throw new Error(`not healthy: ${ill.map(({ Name }) => Name).join(', ')}`);
      await setTimeout(500);
    }
  }
}

function docker(...command: readonly string[]): string {
  return execFileSync('docker', command, { stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .trim();
}

/** A signed request to the edge at a port. */
export function ask(
  { port, region, service }: { readonly port: number; readonly region: string; readonly service: string },
  accessKey: AccessKey,
): Promise<Response> {
  const request = { method: 'GET', target: '/bucket/key', headers: [['Host', `127.0.0.1:${port}`]] } as const;
  const payload = { kind: 'exact', sha256: EMPTY_BODY_SHA256 } as const;
  const signed = signRequest(request, accessKey, { now: Date.now(), region, service, payload });
  // A connection that is kept might be closed by the edge while this process stands still.
  const headers = [...signed.headers.map(([name, value]): [string, string] => [name, value]), ['connection', 'close']];
  return fetch(`http://127.0.0.1:${port}/bucket/key`, { headers });
}

/** Why a request was not served, or `served`; `unreachable` when nobody answered. */
export async function outcome(edge: Parameters<typeof ask>[0], accessKey: AccessKey): Promise<string> {
  try {
    const answer = await ask(edge, accessKey);
    await answer.arrayBuffer();
    return answer.status === 200 ? 'served' : (answer.headers.get('x-keyd-reason') ?? String(answer.status));
  } catch {
    return 'unreachable';
  }
}

/** Asks until the answer is `expected`; what was answered before. */
export async function until(expected: string, answer: () => Promise<string>): Promise<readonly string[]> {
  const before: string[] = [];
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    const got = await answer();
    if (got === expected) return before;
    before.push(got);
  }
  throw new Error(`was never ${expected}; at last ${before.at(-1)}`);
}
