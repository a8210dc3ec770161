// Runs every compiled test and closes with one plain line that counts the assertions.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const manifest = createRequire(import.meta.url).resolve('tap/package.json');
const tap = join(dirname(manifest), 'dist', 'esm', 'run.mjs');
const child = spawn(process.execPath, [tap, ...process.argv.slice(2)], { stdio: ['inherit', 'pipe', 'inherit'] });

let tail = '';
child.stdout.on('data', (chunk) => {
  process.stdout.write(chunk);
  tail = (tail + chunk).slice(-65_536);
});
child.on('close', (code) => {
  const counted = [...tail.matchAll(/# \{ ([^}]*) \}/g)].at(-1)?.[1] ?? '';
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(counted)?.[1] ?? 0);
  const skipped = count('skip') + count('todo');
  process.stdout.write(`\n${count('pass')} passed, ${count('fail')} failed${skipped ? `, ${skipped} skipped` : ''}\n`);
  process.exitCode = code === 0 && count('pass') === 0 ? 1 : (code ?? 1);
});
