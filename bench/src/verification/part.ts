import type { BenchOptions, BenchPart } from '../bench-part.js';
import type { Figure, Measured } from '../measured.js';
import { CCompiler } from './c-floor.js';
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
const MILLISECONDS = { whole: 2_500, quick: 100, tiny: 1 } as const;

const SERVICES = ['s3', 'execute-api'];

export const part: BenchPart = {
  about: 'a verification beside its reference, its peers, and what it cannot be faster than',
  goals: SERVICES.flatMap((service) => KINDS.flatMap((kind) => goalsOf({ service, kind }))),
  run: benchVerification,
};

async function benchVerification({ scale }: BenchOptions): Promise<Measured> {
  const compiler = new CCompiler();
  const done: MeasuredVerification[] = [];
  try {
    for (const request of SERVICES.flatMap(measuredRequests)) {
      const floor = compiler.lacks === undefined ? compiler.start(request) : undefined;
      const figures = await interleaved(contenders(request), floor, MILLISECONDS[scale]);
      floor?.stop();
      done.push({ request, figures });
    }
  } finally {
    compiler.clean();
  }
  return told(done, compiler.lacks);
}

function told(done: readonly MeasuredVerification[], lacks: string | undefined): Measured {
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
        notes: lacks === undefined ? [] : [`NO C FLOOR: it could not be compiled (${lacks})`],
      },
    ],
    figures: Object.fromEntries(
      done.flatMap(({ request, figures }) => goalFiguresOf(request, figures, lacks ?? 'there was no floor')),
    ),
    plots: [{ kind: 'bars', name: 'verification', title: TITLE, unit: 'µs', groups }],
  };
}

function nameOf({ service, kind, canonicalRequest }: MeasuredRequest): string {
  return `${service}, ${kind}, ${Buffer.byteLength(canonicalRequest, 'latin1')} canonical bytes`;
}
