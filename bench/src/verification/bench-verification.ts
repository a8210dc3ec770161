import { writeFileSync } from 'node:fs';
import { machine } from '../machine.js';
import { printTable } from '../table.js';
import { bars, type Group } from './bars.js';
import { CCompiler } from './c-floor.js';
import { contenders } from './contenders.js';
import { goalsOf, type Goal } from './goals.js';
import { interleaved } from './interleaved.js';
import { measuredRequests, type MeasuredRequest } from './measured-requests.js';

export interface VerificationBench {
  /** Of each contender and request. */
  readonly milliseconds: number;
  readonly svg?: string | undefined;
  readonly asJson?: boolean;
}

interface Measured extends Group {
  readonly request: MeasuredRequest;
  readonly goals: readonly Goal[];
}

const TITLE = 'A verification with the signing key at hand, µs of CPU time: median (and spread)';

/** A verification, beside its reference, its peers, and what it cannot be faster than. */
export async function benchVerification({ milliseconds, svg, asJson = false }: VerificationBench): Promise<void> {
  const compiler = new CCompiler();
  const measured: Measured[] = [];
  try {
    for (const request of [...measuredRequests('s3'), ...measuredRequests('execute-api')]) {
      const floor = compiler.lacks === undefined ? compiler.start(request) : undefined;
      const figures = await interleaved(contenders(request), floor, milliseconds);
      floor?.stop();
      const bytes = Buffer.byteLength(request.canonicalRequest, 'latin1');
      const name = `${request.service}, ${request.kind}, ${bytes} canonical bytes`;
      measured.push({ request, name, figures, goals: goalsOf(request, figures) });
    }
  } finally {
    compiler.clean();
  }
  if (asJson) process.stdout.write(`${JSON.stringify(asData(measured), undefined, 2)}\n`);
  else print(measured, compiler.lacks);
  if (svg !== undefined) writeFileSync(svg, bars(TITLE, measured));
}

function print(measured: readonly Measured[], lacks: string | undefined): void {
  const names = [...(measured[0]?.figures.keys() ?? [])];
  const rows = measured.map(({ name, figures }) => [
    name,
    ...names.map((one) => {
      const figure = figures.get(one);
      return figure === undefined ? '' : `${figure.median.toFixed(2)} (${figure.spread.toFixed(2)})`;
    }),
  ]);
  printTable(TITLE, ['', ...names], rows);
  if (lacks !== undefined) process.stdout.write(`NO C FLOOR: it could not be compiled (${lacks})\n`);
  const goals = measured.flatMap(({ request, goals }) =>
    goals.map(({ what, goal, figure, isMet }) => [
      `${request.service}, ${what}`,
      goal,
      figure.toFixed(1),
      isMet ? 'met' : 'missed',
    ]),
  );
  printTable('Goals', ['', 'goal', 'measured', ''], goals);
}

function asData(measured: readonly Measured[]): object {
  return {
    machine: machine(),
    requests: measured.map(({ name, figures, goals }) => ({ name, figures: Object.fromEntries(figures), goals })),
  };
}
