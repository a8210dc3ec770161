import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { signedChunks } from '@sigv4-keyd/payload-streams';
import { framedLength, signChunkedRequest, type ChunkedMode } from '@sigv4-keyd/sigv4-core';
import { ACCESS_KEY_ID, HOST, NOW, SECRET } from './client.js';

const PART = Buffer.alloc(64 * 1024, 'endless ');
const CHUNK_BYTES = 1024 * 1024;

function* parts(length: number): Generator<Buffer> {
  for (let sent = 0; sent < length; sent += PART.length) yield PART.subarray(0, length - sent);
}

/** Uploads a body that is never in memory, and watches how much memory this process takes beyond what it had. */
export async function uploadOf(
  address: string,
  kind: ChunkedMode,
  length: number,
): Promise<{ readonly status: number | undefined; readonly mostBytes: number }> {
  const trailers = kind === 'streaming-signed' ? [] : (['x-amz-checksum-crc32'] as const);
  const { headers, encoder } = signChunkedRequest(
    { method: 'PUT', target: '/bucket/endless', headers: [['host', HOST]] },
    { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET },
    { now: NOW, region: 'eu-west-1', service: 's3', kind, decodedLength: length, trailers },
  );
  const contentLength = framedLength({ kind, decodedLength: length, trailers }, CHUNK_BYTES);
  const [host, port] = address.split(':');
  const before = held();
  let mostBytes = 0;
  const watched = async function* (bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of bytes) {
      mostBytes = Math.max(mostBytes, held() - before);
      yield piece;
    }
  };
  const request = httpRequest({
    host,
    port,
    method: 'PUT',
    path: '/bucket/endless',
    headers: ['host', HOST, ...headers.flat(), 'content-length', String(contentLength)],
    setHost: false,
    agent: false,
  });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    request.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
  });
  const body = signedChunks(Readable.from(parts(length)), encoder, { chunkBytes: CHUNK_BYTES, trailers });
  await pipeline(Readable.from(watched(body)), request);
  return { status: await answered, mostBytes };
}

function held(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
