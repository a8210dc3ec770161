import { sha256Hex } from '@sigv4-keyd/sigv4-core';
import type { Finding } from './finding.js';

/** The hash that a body may have had when it was signed, and what happened to it since. */
export interface BodyHash {
  readonly hash: string;
  readonly finding: Finding;
}

/** A body as it is, and as it was before something on the way touched it. */
export function bodyHashes(body: Buffer): readonly BodyHash[] {
  const text = body.toString('latin1');
  const bodies: readonly (readonly [content: string, id: string, what: string])[] = [
    [text, 'payload-hash-other', 'The hash of the body was signed, and x-amz-content-sha256 says another.'],
    [text.replace(/\r?\n$/, ''), 'body-newline-added', 'The body got a line feed at its end after it was hashed.'],
    [`${text}\n`, 'body-newline-removed', 'The line feed at the end of the body got lost after it was hashed.'],
    [text.replaceAll('\r\n', '\n'), 'body-line-ends', 'The line ends of the body were changed after it was hashed.'],
    [text.replace(/\r?\n/g, ''), 'body-line-ends', 'The line ends of the body got lost after it was hashed.'],
    [text.replace(/\r?\n/g, '\r\n'), 'body-line-ends', 'The line ends of the body were changed after it was hashed.'],
    [body.toString('utf8'), 'body-encoding', 'The body was hashed in another character encoding (Latin-1).'],
  ];
  return bodies.map(([content, id, what]) => ({
    hash: sha256Hex(Buffer.from(content, 'latin1')),
    finding: { id, what, next: id === 'payload-hash-other' ? STATE : CHANGED },
  }));
}

const STATE = 'Send x-amz-content-sha256 with exactly what was signed.';
const CHANGED = 'Hash the bytes that are sent: build the body once, and give these bytes to both.';
