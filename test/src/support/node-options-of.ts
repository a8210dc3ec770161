import { execFileSync } from 'node:child_process';
import { mainOf } from './victim.js';

/** The options of Node.js that a service itself says that it needs, with these settings. */
export function nodeOptionsOf(service: string, env: Readonly<Record<string, string>>): readonly string[] {
  const printed = execFileSync(process.execPath, [mainOf(service), '--node-options'], { env, encoding: 'utf8' });
  return printed.trim().split('\n');
}
