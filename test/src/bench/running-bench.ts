import { execFile } from 'node:child_process';
import { report, type Report } from '@sigv4-keyd/bench/report';

export const PROGRAM = 'bench/dist/main.js';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `npm run bench -- ARGS`, after everything was built. */
export function runBench(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, ...args], { maxBuffer: 64 * 1024 ** 2 }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err });
    });
  });
}

/** Runs parts at a scale at which they take no time worth mentioning. */
export async function tinyReport(...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await runBench(...args, '--tiny', '--json', '-', '--port-base', String(portBase()));
  if (code !== 0) throw new Error(`the bench ended with ${code}:\n${err}`);
  return report.parse(JSON.parse(out));
}

/** Below the ports that systems give out, and another one in each process that runs at the same time. */
export function portBase(): number {
  return 12_000 + (process.pid % 190) * 100;
}
