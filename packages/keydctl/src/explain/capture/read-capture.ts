import type { CapturedRequest } from './captured-request.js';
import { captureError } from './capture-error.js';
import { readCurlVerbose } from './curl-verbose.js';
import { readHar } from './har.js';
import { readRawHttp } from './raw-http.js';

const MOST_HEAD_BYTES = 64 * 1024;

/** Reads a recording in the form that it shows by its first lines. Throws CommandError. */
export function readCapture(bytes: Buffer): CapturedRequest {
  const text = bytes.toString('latin1');
  if (text.trim() === '')
    throw captureError('there is nothing in it', 'Give a HAR file, the output of curl -v, or a raw request');
  const captured = readForm(bytes, text);
  const headBytes = captured.rawHeaders.reduce((sum, part) => sum + part.length, captured.target.length);
  if (headBytes <= MOST_HEAD_BYTES) return captured;
  throw captureError(
    'the head of its request has more than 64 KiB, which no server takes',
    'Record the one request alone',
  );
}

function readForm(bytes: Buffer, text: string): CapturedRequest {
  if (/^(?:\u00ef\u00bb\u00bf)?\s*\{/.test(text)) return readHar(withoutMark(bytes));
  return /^> [A-Z]+ \S+ HTTP\//m.test(text) ? readCurlVerbose(bytes) : readRawHttp(bytes);
}

/** JSON with a byte order mark is no JSON. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef ? bytes.subarray(3) : bytes;
}
