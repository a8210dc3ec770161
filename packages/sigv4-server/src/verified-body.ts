import type { IncomingMessage } from 'node:http';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { checkedParts, declaredChecksums, PayloadRefused, verifiedChunks } from '@sigv4-keyd/payload-streams';
import {
  ChunkDecoder,
  concludeRequest,
  framedLength,
  isRefused,
  sha256Hex,
  type Accepted,
  type ChunkedPayload,
  type Examined,
  type SignatureKey,
} from '@sigv4-keyd/sigv4-core';
import { hasBody, holdBody, putBack } from './held-body.js';
import { describeUnframed } from './unframed.js';

/** As S3 has it: every chunk but the last has 8 KiB, which bounds their number. */
const SMALLEST_CHUNK = 8 * 1024;

/** A request that is to be proven, with its body not yet read. */
export interface Arrived {
  readonly request: IncomingMessage;
  readonly examined: Examined;
  readonly key: SignatureKey;
  /** Bytes of data. */
  readonly longestBody: number;
}

/** The last steps, by payload mode: signature and body. Nobody reads a byte of a bound body before it was verified. */
export async function verifyBody(arrived: Arrived): Promise<Accepted | Refusal | 'client-gone'> {
  const { examined, key } = arrived;
  const { payload } = examined;
  try {
    if (payload.kind === 'body') return await verifyHeld(arrived);
    // What the headers state is enough to check the signature: nobody makes us hold a body with a made-up one.
    const accepted = concludeRequest(examined, key);
    if (isRefused(accepted)) return accepted;
    switch (payload.kind) {
      case 'exact':
        return await verifyHeld(arrived);
      case 'unsigned':
        return accepted;
      case 'streaming-signed':
      case 'streaming-signed-trailer':
      case 'streaming-unsigned-trailer':
        return (await verifyChunked(arrived, payload)) ?? accepted;
      case 'streaming-events':
      case 'streaming-ecdsa':
      case 'streaming-ecdsa-trailer':
        return { reason: 'payload-mode-refused', detail: payload.kind };
    }
  } catch (error) {
    if (error instanceof PayloadRefused) return error.refused;
    throw error;
  }
}

async function verifyHeld({
  request,
  examined,
  key,
  longestBody,
}: Arrived): Promise<Accepted | Refusal | 'client-gone'> {
  const declared = declaredChecksums(examined);
  if (isRefused(declared)) return declared;
  const body = await holdBody(request, longestBody);
  if (typeof body === 'string') return body === 'client-gone' ? body : { reason: body };
  const accepted = concludeRequest(examined, key, sha256Hex(body));
  if (isRefused(accepted)) return accepted;
  putBack(request, await whole(checkedParts(once(body), declared)));
  return accepted;
}

/** Undefined when every chunk was verified, and the request's reader gets their data. */
async function verifyChunked(
  { request, examined, key, longestBody }: Arrived,
  payload: ChunkedPayload,
): Promise<Refusal | 'client-gone' | undefined> {
  if (payload.decodedLength > longestBody) return { reason: 'body-too-large' };
  if (!hasBody(request)) return { reason: 'incomplete-body' };
  const declared = declaredChecksums(examined);
  if (isRefused(declared)) return declared;
  // No framing that the decoder takes is longer than that of the smallest chunks; trailers are short lines.
  const body = await holdBody(request, framedLength(payload, SMALLEST_CHUNK) + SMALLEST_CHUNK);
  if (typeof body === 'string') return body === 'client-gone' ? body : { reason: body };
  const limits = { smallest: SMALLEST_CHUNK, largest: longestBody };
  const reading = { trailers: payload.trailers, declared, form: 'decoded', beforeEnd: () => undefined } as const;
  const data = await whole(
    verifiedChunks(once(body), new ChunkDecoder({ ...examined, payload }, key, limits), reading),
  );
  describeUnframed(request, data.length);
  putBack(request, data);
  return undefined;
}

async function* once(body: Buffer): AsyncGenerator<Buffer, void, undefined> {
  if (body.length > 0) yield await Promise.resolve(body);
}

async function whole(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}
