// Loaded into a service before its own code: on SIGUSR2 tries what a service has no use for, and logs what came of it.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

const outside = process.env['OUTSIDE'] ?? '';
const TRIES: Readonly<Record<string, () => unknown>> = {
  'reading another file': () => readFileSync('/etc/passwd'),
  'writing another file': () => writeFileSync(outside, 'x'),
  'starting a process': () => spawnSync('/bin/true', { timeout: 5_000 }),
  'starting a thread': () => new Worker('', { eval: true }),
  'loading native code': () => process.dlopen({ exports: {} }, '/nowhere.node'),
};

process.on('SIGUSR2', () => {
  const came = Object.entries(TRIES).map(([what, attempt]) => [what, outcomeOf(attempt)]);
  process.stdout.write(`${JSON.stringify({ tried: Object.fromEntries(came) as unknown })}\n`);
});

function outcomeOf(attempt: () => unknown): string {
  try {
    attempt();
    return 'done';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
