import t from 'tap';
import { Allocations } from './engine/allocations.js';
import { Coverage } from './engine/coverage.js';
import { explore, type Exploration } from './engine/explore.js';
import { furthest } from './engine/furthest.js';
import { instrument } from './engine/instrument.js';
import { bytesOf, type Target } from './engine/target.js';
import { Trials } from './engine/trial.js';

const MAZE = 'test/dist/fuzz/maze.js';
instrument([MAZE]);
const { walk, comparePairs, makeRoom } = await import('./maze.js');
const allocations = new Allocations();

function target(run: (text: string) => unknown, seeds: readonly string[] = ['']): Target {
  return { name: 'maze', covers: [MAZE], seeds, run: (input) => run(input.toString('latin1')) !== undefined };
}

async function search(searched: Target, runs: number, isBlind = false): Promise<Exploration> {
  const trials = new Trials(searched, new Coverage(searched.covers), allocations);
  const blind = { run: async (input: Buffer) => ({ ...(await trials.run(input)), fresh: [] }), hasRun: () => false };
  return explore(searched, isBlind ? blind : trials, { inputs: searched.seeds.map(bytesOf), runs, seed: 1 });
}

t.test('coverage leads to what chance does not find, and what is found is made small', async (t) => {
  const { finding, pool } = await search(target(walk), 20_000);
  t.equal(finding?.input.toString('latin1'), 'maz');
  t.equal(finding?.error.message, 'the end of the maze');
  t.equal((await search(target(walk), 20_000, true)).finding, undefined, 'a search that sees no coverage');
  t.same((await search(target(walk), 20_000)).pool, pool, 'the same seed makes the same search');
});

t.test('work that grows faster than the input is a finding', async (t) => {
  const { finding } = await search(target(comparePairs, ['ab']), 20_000);
  t.match(finding?.error.message, /^\d+ statements for \d+ bytes of input$/);
});

t.test('so is memory for a number that the input claims', async (t) => {
  const { finding } = await search(target(makeRoom, ['12']), 20_000);
  t.match(finding?.error.message, /^a buffer of \d+ bytes for \d bytes of input$/);
});

t.test('what is kept reaches further than the seeds, with nothing to spare', async (t) => {
  const inputs = ['mxx', 'xyz', 'moxx', 'maxxx', 'ma'].map(bytesOf);
  const kept = await furthest(target(walk), inputs, allocations);
  t.same(kept.map(String), ['ma', 'm']);
});
