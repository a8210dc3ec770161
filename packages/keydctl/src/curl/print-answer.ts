import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SentHead } from '@sigv4-keyd/sigv4-client';
import type { Surroundings } from '../command-line/surroundings.js';
import { write } from '../command-line/write-outcome.js';
import { fail } from './curl-failure.js';
import type { CurlOptions } from './curl-options.js';

/** What `-v` tells of a request; keydctl explain reads it. A session token is nobody's to read. */
export function requestLines({ method, target, headers }: SentHead): string {
  const shown = headers.map(([name, value]) => `> ${name}: ${name === 'x-amz-security-token' ? '[not shown]' : value}`);
  return [`> ${method} ${target} HTTP/1.1`, ...shown, '>', ''].join('\n');
}

/** Prints an answer as the options ask. Rejects with a CurlFailure. */
export async function printAnswer(
  answer: IncomingMessage,
  options: CurlOptions,
  surroundings: Surroundings,
): Promise<void> {
  const status = answer.statusCode ?? 0;
  const head = headLines(answer);
  if (options.verbose) await write(surroundings.errorOutput, head.map((line) => `< ${line}`.trimEnd() + '\n').join(''));
  if (options.fail && status >= 400) {
    answer.destroy();
    throw fail('refused', `the answer is ${status} ${answer.statusMessage ?? ''}`.trimEnd());
  }
  if (options.include || options.head) await write(surroundings.output, head.map((line) => `${line}\r\n`).join(''));
  await printBody(answer, options, surroundings);
}

function headLines({ httpVersion, statusCode, statusMessage, rawHeaders }: IncomingMessage): readonly string[] {
  const lines = [`HTTP/${httpVersion} ${statusCode ?? 0} ${statusMessage ?? ''}`.trimEnd()];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    lines.push(`${rawHeaders[at] ?? ''}: ${rawHeaders[at + 1] ?? ''}`);
  return [...lines, ''];
}

async function printBody(answer: IncomingMessage, { output }: CurlOptions, surroundings: Surroundings): Promise<void> {
  const isFile = output !== undefined && output !== '-';
  const target: Writable = isFile ? createWriteStream(output) : surroundings.output;
  try {
    await pipeline(answer, target, { end: isFile });
  } catch (error) {
    const brokeOff = answer.errored !== null && !answer.complete;
    const message = error instanceof Error ? error.message : String(error);
    throw fail(brokeOff ? 'partial' : 'write', message, error);
  }
}
