import { loadPart, PARTS } from './parts.js';

const HELP = `npm run bench -- [PART...] [--quick] [--json FILE|-] [--out DIR]

Measures all parts, or those that are named, and prints every goal beside its figure.

  --quick           all of it in a minute or two; the figures scatter more
  --json FILE|-     everything as one JSON document, to a file or to standard output
  --out DIR         the plots, as SVG files
  --keys N          access keys, for parts that have a number of them
  --edges N,N,...   edges, likewise
  --port-base PORT  ports above it are taken (23400)
  --tiny            each step once or twice, to see that it runs; the figures say nothing

Parts:
`;

export async function helpText(): Promise<string> {
  const lines: string[] = [];
  for (const name of Object.keys(PARTS)) lines.push(`  ${name.padEnd(16)}  ${(await loadPart(name)).about}\n`);
  return HELP + lines.join('');
}
