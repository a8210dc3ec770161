import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandLineError, readCommandLine, type Wanted } from './command-line.js';
import { helpText } from './help.js';
import { runInOwnProcess } from './part-process.js';
import { loadPart } from './parts.js';
import { drawn } from './plots/drawn.js';
import { printed, printedGoals } from './print.js';
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
  // With the document on standard output, the tables go beside it.
  const say = (text: string): void => void (json === '-' ? process.stderr : process.stdout).write(text);
  const before = { machine: machine(), load: load(), at: new Date().toISOString(), scale: options.scale };
  say(`${before.machine}, load ${before.load.toFixed(1)}\n`);
  const parts: ReportedPart[] = [];
  for (const name of names) {
    const done = await measuredPart(name, options);
    parts.push(done);
    say(printed(done));
    if (done.failed !== undefined) {
      say(`\n${name}: ${done.failed}\n`);
      process.exitCode = 1;
    }
    if (out === undefined) continue;
    for (const plot of done.plots) writeFileSync(join(out, `${plot.name}.svg`), drawn(plot));
  }
  say(printedGoals(parts));
  const whole: Report = { ...before, parts };
  const text = `${JSON.stringify(whole, undefined, 2)}\n`;
  if (json === '-') process.stdout.write(text);
  else if (json !== undefined) writeFileSync(json, text);
}

async function measuredPart(name: string, options: Wanted['options']): Promise<ReportedPart> {
  const part = await loadPart(name);
  try {
    return reported(name, part, await runInOwnProcess(name, options));
  } catch (error) {
    return notMeasured(name, part, error instanceof Error ? error.message : String(error));
  }
}
