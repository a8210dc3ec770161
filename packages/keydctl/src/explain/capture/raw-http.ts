import type { CapturedRequest } from './captured-request.js';
import { headerOf, readHeadLines } from './head-lines.js';

/** The bytes of a request, with line ends of either kind in its head. */
export function readRawHttp(bytes: Buffer): CapturedRequest {
  const text = bytes.toString('latin1');
  const start = /^(?:\r?\n)*/.exec(text)?.[0].length ?? 0;
  const end = /\r?\n\r?\n/.exec(text.slice(start));
  const headEnd = end ? start + end.index : text.length;
  const lines = text
    .slice(start, headEnd)
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);
  const head = readHeadLines(lines);
  const rest = end ? bytes.subarray(headEnd + end[0].length) : Buffer.alloc(0);
  return { ...head, body: bodyFrom(rest, head.rawHeaders), at: undefined, serverReason: undefined };
}

function bodyFrom(rest: Buffer, rawHeaders: readonly string[]): Buffer | undefined {
  // The framing of chunks is not the body; whoever has these gives the body in a file of its own.
  if (headerOf(rawHeaders, 'transfer-encoding') !== undefined) return undefined;
  const stated = headerOf(rawHeaders, 'content-length');
  if (stated === undefined) return rest;
  const length = Number(stated);
  return length <= rest.length ? rest.subarray(0, length) : undefined;
}
