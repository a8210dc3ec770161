import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const FRONT = fileURLToPath(new URL('../../../deploy/fronts/nginx.conf', import.meta.url));

export interface NginxNames {
  readonly listen: number;
  readonly forwardAuth: number;
  readonly application: number;
}

/** Why nginx cannot be measured here; undefined: it can. */
export function lacksNginx(): string | undefined {
  return spawnSync('nginx', ['-v'], { stdio: 'ignore' }).error === undefined ? undefined : 'nginx is not installed';
}

/** nginx with the configuration that is shipped, in one worker. */
export class Nginx {
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** Resolves when it listens. `folder` is its own. */
  static async start(folder: string, names: NginxNames): Promise<Nginx> {
    mkdirSync(folder, { recursive: true });
    const at = (port: number): string => `127.0.0.1:${port}`;
    const front = readFileSync(FRONT, 'utf8')
      .replaceAll('EDGE_ADDRESS', at(names.forwardAuth))
      .replaceAll('LISTEN_ADDRESS', at(names.listen))
      .replaceAll('APPLICATION_ADDRESS', at(names.application));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
      .join('\n  ');
    const file = join(folder, 'nginx.conf');
    writeFileSync(
      file,
      `daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'error.log')};
events {}
http {
  access_log off;
  keepalive_requests 1000000000;
  ${temporary}
${front}
}
`,
    );
    const child = spawn('nginx', ['-p', folder, '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
    const nginx = new Nginx(child, folder);
    while (!(await answers(names.listen))) {
      if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}; what it said stands above`);
      await pause(50);
    }
    return nginx;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
