import { readFileSync, writeFileSync } from 'node:fs';
import { isConfined } from './confinement/index.js';
import type { Logger } from './logging.js';
import { StartError } from './start-error.js';

// A service holds keys in its memory. These are the ways in which Node.js and the kernel would show them to others.

/** Options of Node.js that show the memory, or the environment with the secrets in it, to a debugger or in a file. */
const EXPOSING_OPTIONS: ReadonlySet<string> = new Set([
  '--inspect',
  '--inspect-brk',
  '--inspect-wait',
  '--heap-prof',
  '--heapsnapshot-signal',
  '--heapsnapshot-near-heap-limit',
  '--report-on-signal',
  '--report-on-fatalerror',
  '--report-uncaught-exception',
]);

/**
 * `options`: those that Node.js was started with, on its command line and in NODE_OPTIONS.
 *
 * @throws StartError when one of them would show the memory of the process
 */
export function requireNoExposure(options: readonly string[]): void {
  for (const option of options) {
    const [name = ''] = option.split('=');
    // Node.js takes underscores for hyphens.
    if (!EXPOSING_OPTIONS.has(name.replaceAll('_', '-'))) continue;
    throw new StartError(`Node.js was started with ${name}, which shows keys in memory: start it without`, 78);
  }
}

/** Closes what is open by default: the debugger that SIGUSR1 opens, and memory in core dumps. */
export function limitExposure(log: Logger): void {
  // Node.js opens its debugger on this signal unless somebody listens to it.
  process.on('SIGUSR1', () => log.warn({ event: 'debugger-refused' }, 'SIGUSR1 is ignored: it would open a debugger'));
  if (!isConfined()) {
    log.warn(
      { event: 'permissions-off' },
      'this process may read and write all that its user may, and start others: start it with --confined',
    );
  }
  if (process.platform !== 'linux') return;
  try {
    emptyCoreDumps();
  } catch (error) {
    if (!mayDumpCore()) return;
    log.warn(
      { event: 'core-dumps-possible', err: error },
      'a crash may write the memory with its keys to a core dump: set its limit to 0 (ulimit -c 0, LimitCORE=0)',
    );
  }
}

/** The kernel leaves all kinds of memory out of a core dump of this process, whatever the limits say. See core(5). */
function emptyCoreDumps(): void {
  writeFileSync('/proc/self/coredump_filter', '0');
}

/** Whether the limit allows for a core dump; where it cannot be read, it may. */
function mayDumpCore(): boolean {
  try {
    return !/^Max core file size\s+0\s/m.test(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return true;
  }
}
