import { createHash, createHmac } from 'node:crypto';
import type { ChunkedMode } from '@sigv4-keyd/sigv4-core';
import { SECRET } from './policy.js';

/**
 * A second writer of bodies in chunks, straight from the documentation of S3 and sharing nothing with the code under
 * test. Fields are hex.
 */
export interface OracleBody {
  readonly kind: ChunkedMode;
  readonly chunks: readonly Buffer[];
  /** Of the request. */
  readonly seed: string;
  readonly amzDate: string;
  readonly region: string;
  readonly service: string;
  /** Lines without their ends, in order. */
  readonly trailers: readonly string[];
}

export function oracleWire({ kind, chunks, seed, amzDate, region, service, trailers }: OracleBody): Buffer {
  const day = amzDate.slice(0, 8);
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${SECRET}`);
  const scope = `${day}/${region}/${service}/aws4_request`;
  let previous = seed;
  const next = (purpose: string, hashes: readonly string[]): string => {
    previous = hmac(key, [`AWS4-HMAC-SHA256-${purpose}`, amzDate, scope, previous, ...hashes].join('\n')).toString(
      'hex',
    );
    return previous;
  };
  const out: (string | Buffer)[] = [];
  for (const chunk of [...chunks, Buffer.alloc(0)]) {
    const extension =
      kind === 'streaming-unsigned-trailer' ? '' : `;chunk-signature=${next('PAYLOAD', [sha256(''), sha256(chunk)])}`;
    out.push(`${chunk.length.toString(16)}${extension}\r\n`, ...(chunk.length > 0 ? [chunk, '\r\n'] : []));
  }
  out.push(...trailers.map((line) => `${line}\r\n`));
  if (kind === 'streaming-signed-trailer') {
    out.push(`x-amz-trailer-signature:${next('TRAILER', [sha256(trailers.map((line) => `${line}\n`).join(''))])}\r\n`);
  }
  return Buffer.concat([...out, '\r\n'].map((part) => Buffer.from(part)));
}

function hmac(key: string | Buffer, message: string): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
