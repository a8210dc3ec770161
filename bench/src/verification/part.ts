import type { BenchOptions, BenchPart } from '../bench-part.js';
import type { Figure, Measured } from '../measured.js';
import { COMPILED, CompiledPrograms, type CompiledName } from './compiled-programs.js';
import { contenders } from './contenders.js';
import { goalFiguresOf, goalsOf } from './goals.js';
import { interleaved } from './interleaved.js';
import { KINDS, measuredRequests, type MeasuredRequest } from './measured-requests.js';

interface MeasuredVerification {
  readonly request: MeasuredRequest;
  readonly figures: ReadonlyMap<string, Figure>;
}

const TITLE = 'A verification with the signing key at hand, µs of CPU time: median (and spread)';
/** Of each contender and request. */
const MILLISECONDS = { whole: 2_000, quick: 60, tiny: 1 } as const;

const SERVICES = ['s3', 'execute-api'];

export const part: BenchPart = {
  about: 'a verification beside its reference, its peers, and what it cannot be faster than',
  goals: SERVICES.flatMap((service) => KINDS.flatMap((kind) => goalsOf({ service, kind }))),
  run: benchVerification,
};

async function benchVerification({ scale }: BenchOptions): Promise<Measured> {
  const programs = new CompiledPrograms();
  const done: MeasuredVerification[] = [];
  try {
    for (const request of SERVICES.flatMap(measuredRequests)) {
      const started = programs.start(request);
      const figures = await interleaved(contenders(request), started, MILLISECONDS[scale]);
      for (const program of started.values()) await program.stop();
      done.push({ request, figures });
    }
  } finally {
    programs.clean();
  }
  return told(done, (name) => programs.lacks(name));
}

function told(done: readonly MeasuredVerification[], lacks: (name: CompiledName) => string | undefined): Measured {
  const names = [...(done[0]?.figures.keys() ?? [])];
  const groups = done.map(({ request, figures }) => ({
    name: nameOf(request),
    bars: [...figures].map(([name, { median: value }]) => ({ name, value })),
  }));
  return {
    tables: [
      {
        title: TITLE,
        head: ['', ...names],
        rows: done.map(({ request, figures }) => [nameOf(request), ...names.map((name) => figures.get(name) ?? '')]),
        notes: COMPILED.flatMap((name) => {
          const why = lacks(name);
          return why === undefined ? [] : [`NOT MEASURED: ${name} ${why}`];
        }),
      },
    ],
    figures: Object.fromEntries(done.flatMap(({ request, figures }) => goalFiguresOf(request, figures, lacks))),
    plots: [{ kind: 'bars', name: 'verification', title: TITLE, unit: 'µs', groups }],
  };
}

function nameOf({ service, kind, canonicalRequest }: MeasuredRequest): string {
  return `${service}, ${kind}, ${Buffer.byteLength(canonicalRequest, 'latin1')} canonical bytes`;
}
