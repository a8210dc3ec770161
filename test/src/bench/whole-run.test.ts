import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { report } from '@sigv4-keyd/bench/report';
import t from 'tap';
import { portBase, PROGRAM, runBench } from './running-bench.js';

t.test('a part that breaks is told, the others are measured, and the exit code says so', async (t) => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const before = portOf(taken.address()) - 1;
  const ports = ['--port-base', String(before)];
  const { code, out, err } = await runBench('rollover', 'sessions', '--tiny', '--json', '-', ...ports);
  t.equal(code, 1);
  const [rollover, sessions] = report.parse(JSON.parse(out)).parts;
  t.match(rollover, { name: 'rollover', failed: 'ended with', tables: [] });
  t.ok(rollover?.goals.every(({ verdict }) => verdict === 'not measured'));
  t.match(sessions, { name: 'sessions', failed: undefined });
  t.match(err, /\nrollover: .*ended with/);
  t.match(err, /\nTook: rollover \d+ s, sessions \d+ s; in all \d+ s\.\n/);
});

const skip = existsSync('/proc/self/environ') ? false : 'NO /proc: nobody looks whether processes are left';
t.test('an interruption ends every process, and nothing is left on disk', { skip }, async (t) => {
  const folder = t.testdir({ temporary: {} });
  const temporary = `${folder}/temporary`;
  const json = `${folder}/report.json`;
  // Not tiny: it measures for so long that no stall of this process lets it end by itself.
  const wanted = ['revocation', 'sessions', '--edges', '10', '--json', json, '--port-base', String(portBase())];
  const bench = spawn(process.execPath, [PROGRAM, ...wanted], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: Buffer[] = [];
  bench.stderr.on('data', (data: Buffer) => said.push(data));
  const ended = once(bench, 'close');
  await until(() => processesThatName(temporary).some((command) => command.includes('region-keyd')));
  bench.kill('SIGINT');
  t.strictSame(await ended, [130, null]);
  t.match(Buffer.concat(said).toString(), 'SIGINT: ending what was started');
  // PostgreSQL has a session of its own, and ends with whoever started it.
  await until(() => processesThatName(temporary).length === 0);
  t.strictSame(readdirSync(temporary), []);
  t.match(report.parse(JSON.parse(readFileSync(json, 'utf8'))).parts, [
    { name: 'revocation', failed: 'interrupted' },
    { name: 'sessions', failed: 'interrupted' },
  ]);
});

/** The command lines of all processes in whose arguments or environment this stands. */
function processesThatName(text: string): readonly string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.flatMap((pid) => {
    const command = textOf(`/proc/${pid}/cmdline`);
    return (command + textOf(`/proc/${pid}/environ`)).includes(text) ? [command] : [];
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The process ended meanwhile, or is somebody else's.
    return '';
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return address.port;
}
