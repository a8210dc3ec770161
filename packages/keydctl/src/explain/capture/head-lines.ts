import { captureError } from './capture-error.js';

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) HTTP\/[0-9.]+$/;

/** The head of a request from its lines (latin1, without line ends). */
export function readHeadLines(lines: readonly string[]): {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
} {
  const [, method, target] = REQUEST_LINE.exec(lines[0] ?? '') ?? [];
  if (method === undefined || target === undefined) {
    throw captureError('the first line is no request line', 'It should read like: GET /path?query HTTP/1.1');
  }
  const rawHeaders: string[] = [];
  for (const [at, line] of lines.slice(1).entries()) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw captureError(`line ${at + 2} is no header`, 'Give the request as it was sent');
    rawHeaders.push(line.slice(0, colon).trim(), line.slice(colon + 1).replace(/^ /, ''));
  }
  return { method, target: originForm(target), rawHeaders };
}

/** What was signed is the origin-form, also of a request to a proxy. */
function originForm(target: string): string {
  return /^https?:\/\/[^/?#]*/i.test(target) ? target.replace(/^https?:\/\/[^/?#]*/i, '') || '/' : target;
}

/** The value of a header, of any of its copies the first. */
export function headerOf(rawHeaders: readonly string[], wanted: string): string | undefined {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === wanted) return rawHeaders[at + 1]?.trim();
  }
  return undefined;
}
