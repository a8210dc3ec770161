import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandLineError, readCommandLine, type Wanted } from './command-line.js';
import { helpText } from './help.js';
import { exitCodeOf, onInterruption } from './interruption.js';
import { runInOwnProcess } from './part-process.js';
import { loadPart } from './parts.js';
import { drawn } from './plots/drawn.js';
import { printed, printedGoals, printedTimes } from './print.js';
import { Progress } from './progress.js';
import { load, machine, notMeasured, reported, type Report, type ReportedPart } from './report.js';

try {
  const wanted = readCommandLine(process.argv.slice(2));
  if (wanted.help) process.stdout.write(await helpText());
  else await bench(wanted);
} catch (error) {
  if (!(error instanceof CommandLineError)) throw error;
  process.stderr.write(`${error.message}\nnpm run bench -- --help tells what there is.\n`);
  process.exitCode = 2;
}

async function bench({ parts: names, options, json, out }: Wanted): Promise<void> {
  if (out !== undefined) mkdirSync(out, { recursive: true });
  const interruption = new AbortController();
  onInterruption((signal) => {
    process.stderr.write(`\n${signal}: ending what was started; again ends this at once\n`);
    process.exitCode = exitCodeOf(signal);
    interruption.abort();
  });
  // With the document on standard output, the tables go beside it.
  const say = (text: string): void => void (json === '-' ? process.stderr : process.stdout).write(text);
  const before = { machine: machine(), load: load(), at: new Date().toISOString(), scale: options.scale };
  say(`${before.machine}, load ${before.load.toFixed(1)}\n`);
  const progress = new Progress(process.stderr, names.length);
  const parts: ReportedPart[] = [];
  for (const name of names) {
    progress.begin(name);
    const done = await measuredPart(name, options, interruption.signal);
    progress.end();
    parts.push(done);
    say(printed(done));
    if (done.failed !== undefined) {
      say(`\n${name}: ${done.failed}\n`);
      process.exitCode ??= 1;
    }
    if (out === undefined) continue;
    for (const plot of done.plots) writeFileSync(join(out, `${plot.name}.svg`), drawn(plot));
  }
  say(printedGoals(parts) + printedTimes(parts));
  const whole: Report = { ...before, parts };
  const text = `${JSON.stringify(whole, undefined, 2)}\n`;
  if (json === '-') process.stdout.write(text);
  else if (json !== undefined) writeFileSync(json, text);
}

/** Whatever becomes of a part, the others have their turn: but for an interruption, which ends all. */
async function measuredPart(name: string, options: Wanted['options'], interrupted: AbortSignal): Promise<ReportedPart> {
  const part = await loadPart(name);
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  if (interrupted.aborted) return notMeasured(name, part, { why: 'interrupted', seconds: 0 });
  try {
    const result = await runInOwnProcess(name, options, interrupted);
    return reported(name, part, { result, seconds: seconds() });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return notMeasured(name, part, { why, seconds: seconds() });
  }
}
