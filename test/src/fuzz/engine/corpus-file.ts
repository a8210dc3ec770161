import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join('test', 'corpus');

/** The kept inputs of a target: a JSON string a line, latin1, one character a byte. */
export function readCorpus(target: string): readonly Buffer[] {
  const path = pathOf(target);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => Buffer.from(JSON.parse(line) as string, 'latin1'));
}

/** Writes them anew, the shortest first. Where there are none, there is no file. */
export function writeCorpus(target: string, inputs: readonly Buffer[]): void {
  const lines = inputs.toSorted((one, other) => one.length - other.length || Buffer.compare(one, other)).map(lineOf);
  rmSync(pathOf(target), { force: true });
  if (lines.length > 0) writeFileSync(pathOf(target), [...new Set(lines)].map((line) => `${line}\n`).join(''));
}

/** As the file has it: ASCII, so that an editor changes nothing. */
export function lineOf(input: Buffer): string {
  return JSON.stringify(input.toString('latin1')).replaceAll(
    /[\x7f-\xff]/g,
    (byte) => `\\u${byte.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function pathOf(target: string): string {
  return join(FOLDER, `${target}.jsonl`);
}
