import { StartError } from '../start-error.js';
import { isConfined } from './permission-options.js';

/**
 * Puts this very program in the place of this process, under these options: the number of the process and its output
 * stay as they are. Returns where it runs under the permission model already.
 * @throws StartError where Node.js cannot do so
 */
export function confine(options: readonly string[]): void {
  if (isConfined()) return;
  const execve: unknown = Reflect.get(process, 'execve');
  if (typeof execve !== 'function') {
    const advice = 'start it with the options that --node-options prints, or with Node.js 24';
    throw new StartError(`--confined needs a Node.js that can replace its own process (23.11 or later): ${advice}`, 78);
  }
  const args = [...process.execArgv, ...options, ...process.argv.slice(1)];
  Reflect.apply(execve, process, [process.execPath, [process.execPath, ...args], process.env]);
}
