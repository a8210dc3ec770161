import { createHash, createHmac } from 'node:crypto';
import type { Algorithm, PathRule, RequestHead } from '@sigv4-keyd/sigv4-core';

/** How a request says that it was signed. */
export interface Presented {
  readonly algorithm: Algorithm;
  readonly mechanism: 'header' | 'presigned';
  readonly signedHeaders: readonly string[];
  /** What follows the access key id in the credential. */
  readonly scope: string;
  readonly amzDate: string;
  readonly pathRule: PathRule;
  readonly payloadHash: string;
}

/**
 * The string to sign of a request that is on its way, straight from the documentation and slowly: bytes are parsed,
 * decoded and encoded again where the code under test never decodes them. It shares nothing with that code.
 */
export function independentStringToSign({ method, target, rawHeaders }: RequestHead, presented: Presented): string {
  const [path = '', ...rest] = target.split('?');
  const canonicalRequest = [
    method,
    presented.pathRule === 's3' ? encodedOnce(path) : encoded(bytesOf(path), '/'),
    canonicalQuery(rest.join('?'), presented.mechanism),
    ...presented.signedHeaders.map((name) => `${name}:${valueOf(rawHeaders, name)}`),
    '',
    presented.signedHeaders.join(';'),
    presented.payloadHash,
  ].join('\n');
  const digest = createHash('sha256').update(bytesOf(canonicalRequest)).digest('hex');
  return [presented.algorithm, presented.amzDate, presented.scope, digest].join('\n');
}

/** The signature of AWS4-HMAC-SHA256. */
export function independentSignature(secret: string, scope: string, stringToSign: string): string {
  const key = scope.split('/').reduce<Buffer>((above, part) => hmac(above, part), Buffer.from(`AWS4${secret}`));
  return hmac(key, stringToSign).toString('hex');
}

function canonicalQuery(query: string, mechanism: Presented['mechanism']): string {
  const pairs: (readonly [Buffer, Buffer])[] = [];
  for (const part of query.split('&')) {
    const [name = '', ...value] = part.split('=');
    if (part === '') continue;
    const isSignature = decoded(name).toString('latin1').toLowerCase() === 'x-amz-signature';
    if (isSignature && mechanism === 'presigned') continue;
    pairs.push([name, value.join('=')].map((text) => Buffer.from(encoded(decoded(text)))) as [Buffer, Buffer]);
  }
  pairs.sort(([name, value], [other, otherValue]) => Buffer.compare(name, other) || Buffer.compare(value, otherValue));
  return pairs.map(([name, value]) => `${name.toString()}=${value.toString()}`).join('&');
}

/** A slash that was written as %2F stays apart from one that was not. */
function encodedOnce(path: string): string {
  return path
    .split('/')
    .map((segment) => encoded(decoded(segment.replaceAll('+', '%2B'))))
    .join('/');
}

/** The bytes that a text in percent encoding (latin1) stands for. */
export function decoded(text: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const isTriplet = text[at] === '%';
    bytes.push(
      isTriplet ? Number.parseInt(text.slice(at + 1, at + 3), 16) : text[at] === '+' ? 0x20 : text.charCodeAt(at),
    );
    if (isTriplet) at += 2;
  }
  return Buffer.from(bytes);
}

function encoded(bytes: Buffer, kept = ''): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    const isPlain = /[A-Za-z0-9_.~-]/.test(character) || kept.includes(character);
    text += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

function valueOf(rawHeaders: readonly string[], wanted: string): string {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== wanted) continue;
    const words = (rawHeaders[at + 1] ?? '').split(/[ \t]/).filter((word) => word !== '');
    values.push(words.join(' '));
  }
  return values.join(',');
}

function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
