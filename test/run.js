// Runs every compiled test; closes with what failed, told again where it is seen, and one plain line of counts.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { Parser } from 'tap-parser';

const manifest = createRequire(import.meta.url).resolve('tap/package.json');
const tap = join(dirname(manifest), 'dist', 'esm', 'run.mjs');
const child = spawn(process.execPath, [tap, ...process.argv.slice(2)], { stdio: ['inherit', 'pipe', 'inherit'] });

const failures = [];
const watch = (parser) => {
  parser.on('child', watch);
  parser.on('assert', (result) => {
    if (!result.ok && !result.todo && !result.skip) failures.push(result);
  });
};
/** Empty for a test that failed only because one inside it did. */
function told({ fullname, diag }) {
  if (failures.some((other) => other.fullname.startsWith(`${fullname} > `))) return '';
  const facts = Object.entries(diag ?? {}).filter(([name]) => name !== 'source' && name !== 'args');
  const lines = facts.map(([name, fact]) => `${name}: ${typeof fact === 'string' ? fact : inspect(fact)}`);
  return `\nFAILED ${fullname}\n${lines.join('\n').slice(0, 4_000)}\n`;
}

const parser = new Parser();
watch(parser);

let tail = '';
child.stdout.on('data', (chunk) => {
  process.stdout.write(chunk);
  parser.write(chunk);
  tail = (tail + chunk).slice(-65_536);
});
child.on('close', (code) => {
  parser.end();
  for (const failure of failures) process.stdout.write(told(failure));
  const counted = [...tail.matchAll(/# \{ ([^}]*) \}/g)].at(-1)?.[1] ?? '';
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(counted)?.[1] ?? 0);
  const skipped = count('skip') + count('todo');
  process.stdout.write(`\n${count('pass')} passed, ${count('fail')} failed${skipped ? `, ${skipped} skipped` : ''}\n`);
  process.exitCode = code === 0 && count('pass') === 0 ? 1 : (code ?? 1);
});
