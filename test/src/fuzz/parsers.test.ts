import t from 'tap';
import { COVERED_CODE } from './covered-code.js';
import { Allocations } from './engine/allocations.js';
import { lineOf, readCorpus } from './engine/corpus-file.js';
import { Coverage } from './engine/coverage.js';
import { explore } from './engine/explore.js';
import { instrument } from './engine/instrument.js';
import { bytesOf, runsOf } from './engine/target.js';
import { Trials } from './engine/trial.js';

const RUNS = 1_000;
const SEED = 20_261_122;

instrument(COVERED_CODE);
// Loaded after that, with all that it imports.
const { TARGETS } = await import('./targets/all-targets.js');
const allocations = new Allocations();

for (const target of TARGETS) {
  t.test(target.name, async (t) => {
    const trials = new Trials(target, new Coverage(target.covers), allocations);
    const inputs = [...target.seeds.map(bytesOf), ...readCorpus(target.name), ...readCorpus(`${target.name}.found`)];
    const { finding } = await explore(target, trials, { inputs, runs: runsOf(target, RUNS), seed: SEED });
    const found = finding && { input: lineOf(finding.input), error: finding.error.stack };
    t.same(found, undefined, `${trials.count} inputs`);
    // Else a parser that refuses everything would pass.
    t.ok(trials.taken > 0, `${trials.taken} of them taken`);
    t.ok(trials.taken < trials.count, 'and not all');
  });
}
