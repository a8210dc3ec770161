import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { COVERED_CODE } from './covered-code.js';
import { Allocations } from './engine/allocations.js';
import { lineOf, pathOf, readCorpus, writeCorpus } from './engine/corpus-file.js';
import { Coverage } from './engine/coverage.js';
import { explore } from './engine/explore.js';
import { furthest } from './engine/furthest.js';
import { instrument } from './engine/instrument.js';
import { bytesOf, MOST_BYTES, runsOf, type Target } from './engine/target.js';
import { Trials } from './engine/trial.js';
import type { Watched } from './watchdog.js';

const USAGE = `usage: npm run fuzz -- TARGET... [--runs N] [--seed N]

Searches for inputs that break a parser, and keeps those that reach more of its code in test/corpus. TARGET: all, or of
`;

const allocations = new Allocations();
instrument(COVERED_CODE);
// Loaded after that, with all that it imports.
const { TARGETS } = await import('./targets/all-targets.js');

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '100000' }, seed: { type: 'string', default: String(Date.now() % 1e9) } },
  allowPositionals: true,
});
const chosen = TARGETS.filter(({ name }) => positionals.includes(name) || positionals.includes('all'));
const isKnown = positionals.every((name) => name === 'all' || TARGETS.some((target) => target.name === name));
const [runs, seed] = [Number(values.runs), Number(values.seed)];
if (chosen.length === 0 || !isKnown || !Number.isSafeInteger(runs) || !Number.isSafeInteger(seed)) {
  process.stderr.write(`${USAGE}${TARGETS.map(({ name }) => `  ${name}\n`).join('')}`);
  process.exit(2);
}
const { onInput, stop } = watched(Math.max(...chosen.map(({ mostBytes = MOST_BYTES }) => mostBytes)));
for (const target of chosen) await fuzz(target);
await stop();

async function fuzz(target: Target): Promise<void> {
  const seeds = target.seeds.map(bytesOf);
  const kept = [...readCorpus(target.name), ...readCorpus(`${target.name}.found`)];
  const coverage = new Coverage(target.covers);
  const trials = new Trials(target, coverage, allocations);
  const started = performance.now();
  const { pool, finding } = await explore(target, trials, {
    inputs: [...seeds, ...kept],
    runs: runsOf(target, runs),
    seed,
    onInput,
  });
  const seconds = (performance.now() - started) / 1000;
  const speed = Math.round(trials.count / seconds);
  const taken = `${Math.round((100 * trials.taken) / trials.count)}% taken`;
  const reached = `${coverage.reached} of ${coverage.size} statements and branches`;
  process.stdout.write(
    `${target.name}: ${trials.count} inputs, ${speed} a second, ${taken}, ${reached}, seed ${seed}\n`,
  );
  writeCorpus(target.name, await furthest(target, pool, allocations));
  if (!finding) return;
  process.stdout.write(`${target.name}: found ${lineOf(finding.input)}\n${finding.error.stack ?? ''}\n`);
  process.stdout.write(`Once it is mended, add the line to ${pathOf(`${target.name}.found`)}.\n`);
  process.exitCode = 1;
}

/** Lets a thread of its own see what is run. */
function watched(mostBytes: number): {
  readonly onInput: (input: Buffer) => void;
  readonly stop: () => Promise<unknown>;
} {
  const shared: Watched = {
    progress: new Int32Array(new SharedArrayBuffer(8)),
    input: new Uint8Array(new SharedArrayBuffer(Math.max(mostBytes, 64 * 1024))),
  };
  const worker = new Worker(new URL('./watchdog.js', import.meta.url), { workerData: shared });
  return {
    onInput(input) {
      shared.input.set(input.subarray(0, shared.input.length));
      shared.progress[1] = input.length;
      shared.progress[0] = (shared.progress[0] ?? 0) + 1;
    },
    stop: () => worker.terminate(),
  };
}
