import { StartError } from '../start-error.js';
import { isConfined } from './permission-options.js';

/**
 * For a setting that takes processes of the service's own.
 * @throws StartError where this process may start no others
 */
export function requireProcesses(setting: string): void {
  if (!isConfined() || process.permission.has('child')) return;
  const advice = 'start it with --confined, or with the options that --node-options prints for these settings';
  throw new StartError(`${setting} needs processes of its own, which are not permitted: ${advice}`, 78);
}
