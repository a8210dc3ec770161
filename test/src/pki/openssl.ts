import { spawnSync } from 'node:child_process';

/** Whether there is an openssl to ask for a second opinion. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A loud reason to skip, or false. */
export const withoutOpenssl: string | false = hasOpenssl ? false : 'NO OPENSSL HERE: its second opinion is missing';

/** Runs openssl; throws with its own words when it fails. */
export function openssl(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return `${stdout}${stderr}`;
}
