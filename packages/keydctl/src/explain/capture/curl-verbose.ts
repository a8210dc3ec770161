import { captureError } from './capture-error.js';
import { fromAnswer, type CapturedRequest } from './captured-request.js';
import { headerOf, readHeadLines } from './head-lines.js';

const NO_BODY = /^(?:GET|HEAD|DELETE|OPTIONS)$/;

/** What curl -v wrote: the last request of it. The body is not in there. */
export function readCurlVerbose(bytes: Buffer): CapturedRequest {
  const lines = bytes.toString('latin1').split(/\r?\n/);
  const last = lines.findLastIndex((line) => /^> [A-Z]+ \S+ HTTP\//.test(line));
  if (last < 0)
    throw captureError('there is no request in this output of curl', 'Run curl with -v, and keep all it says');
  const head = readHeadLines(taken(lines, last, '>'));
  const answer = lines.findIndex((line, at) => at > last && line.startsWith('< HTTP/'));
  const answerHeaders = answer < 0 ? [] : pairsOf(taken(lines, answer, '<').slice(1));
  const length = headerOf(head.rawHeaders, 'content-length');
  const isEmpty = length === '0' || (length === undefined && NO_BODY.test(head.method));
  return {
    ...head,
    body: isEmpty ? Buffer.alloc(0) : undefined,
    ...fromAnswer((name) => headerOf(answerHeaders, name)),
  };
}

/** The lines of one head, up to the empty one; what curl says in between ("* …") is not of it. */
function taken(lines: readonly string[], from: number, mark: '>' | '<'): readonly string[] {
  const head: string[] = [];
  for (const line of lines.slice(from)) {
    if (line === mark || line === `${mark} `) break;
    if (line.startsWith(`${mark} `)) head.push(line.slice(2));
  }
  return head;
}

function pairsOf(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon <= 0 ? [] : [line.slice(0, colon), line.slice(colon + 1)];
  });
}
