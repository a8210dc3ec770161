import { cpus } from 'node:os';

/** What a figure was measured on. */
export function machine(): string {
  const [cpu] = cpus();
  return `${cpu?.model ?? 'unknown processor'}, ${cpus().length} cores, Node.js ${process.versions.node}, ${process.platform}`;
}
