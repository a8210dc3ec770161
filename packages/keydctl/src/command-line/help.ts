import { EXIT_CODES } from './exit-code.js';

/** The end of every command's `--help`: how it is used, and what its exit code means. */
export function helpAfter(examples: readonly string[]): string {
  const exits = Object.values(EXIT_CODES).map(([code, meaning]) => `  ${String(code).padEnd(3)} ${meaning}`);
  return ['', 'Examples:', ...examples.map((line) => `  $ ${line}`), '', 'Exit codes:', ...exits].join('\n');
}
