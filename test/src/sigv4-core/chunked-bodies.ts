import { createHash } from 'node:crypto';
import {
  bytesOfPiece,
  ChunkDecoder,
  examineRequest,
  isChunkedMode,
  isRefused,
  signChunkedRequest,
  type ChecksumHeader,
  type ChunkedMode,
  type ChunkedPayload,
  type ChunkedSigned,
  type ChunkLimits,
  type Examined,
  type PayloadPiece,
  type Refused,
  type RequestHead,
  type Trailers,
} from '@sigv4-keyd/sigv4-core';
import { ACCESS_KEY_ID, policyWith, SECRET, signingKey } from './policy.js';

export const NOW = Date.parse('2026-11-22T10:00:00Z');
export const LIMITS: ChunkLimits = { smallest: 1, largest: 64 * 1024 };
export const SHA256 = 'x-amz-checksum-sha256';

/** A request whose body comes in chunks, signed, with the wire's bytes. */
export interface ChunkedUpload {
  readonly head: RequestHead;
  readonly wire: Buffer;
}

export interface ChunkedDraft {
  readonly kind: ChunkedMode;
  /** The data of each chunk, in order. */
  readonly chunks: readonly Buffer[];
  readonly headers?: readonly (readonly [string, string])[];
  readonly secret?: string;
}

export function sha256Of(chunks: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(chunks)).digest();
}

/** The SHA-256 trailer of the modes that have trailers. */
export function trailersOf({ kind, chunks }: ChunkedDraft): Trailers {
  return kind === 'streaming-signed' ? new Map() : new Map([[SHA256, sha256Of(chunks)] as const]);
}

export function signHead(draft: ChunkedDraft): ChunkedSigned & { readonly head: RequestHead } {
  const { kind, chunks, headers = [], secret = SECRET } = draft;
  const unsigned = { method: 'PUT', target: '/bucket/key', headers: [['host', 'example.com'], ...headers] as const };
  const trailers: readonly ChecksumHeader[] = [...trailersOf(draft).keys()];
  const signed = signChunkedRequest(
    unsigned,
    { accessKeyId: ACCESS_KEY_ID, secretAccessKey: secret },
    { now: NOW, region: 'us-east-1', service: 's3', kind, trailers, decodedLength: Buffer.concat([...chunks]).length },
  );
  const rawHeaders = [...unsigned.headers, ...signed.headers].flat();
  return { ...signed, head: { method: 'PUT', target: '/bucket/key', rawHeaders } };
}

/** Signs the head and every chunk. */
export function upload(draft: ChunkedDraft): ChunkedUpload {
  const { head, encoder } = signHead(draft);
  const framed = draft.chunks.flatMap((chunk) => encoder.chunk(chunk));
  return { head, wire: Buffer.concat([...framed, encoder.end(trailersOf(draft))]) };
}

export function examine(head: RequestHead): Examined | Refused {
  return examineRequest(head, policyWith({ service: 's3', pathRule: 's3' }), NOW);
}

/** A decoder for the body of a request. Throws for a head that is refused. */
export function decoderFor(head: RequestHead, limits = LIMITS): ChunkDecoder {
  const examined = examine(head);
  if (isRefused(examined)) throw new Error(`the head was refused: ${examined.reason} ${examined.detail ?? ''}`);
  const { payload } = examined;
  if (!isChunked(payload)) throw new Error(`not in chunks: ${payload.kind}`);
  return new ChunkDecoder({ ...examined, payload }, signingKey(examined.scope), limits);
}

/** All that became of a body. */
export interface Outcome {
  /** Data released before the end was known to be good, and with it. */
  readonly early: Buffer;
  readonly last: Buffer;
  /** Data and framing. */
  readonly wire: Buffer;
  readonly trailers: Trailers | undefined;
  readonly reason: string;
  readonly detail: string | undefined;
}

/** Feeds a body in parts that end at the cuts. */
export function decode(decoder: ChunkDecoder, wire: Buffer, cuts: readonly number[] = []): Outcome {
  const early: PayloadPiece[] = [];
  let refused: Refused | undefined;
  const edges = [0, ...new Set([...cuts].filter((cut) => cut > 0 && cut < wire.length)), wire.length].sort(
    (a, b) => a - b,
  );
  for (const [at, edge] of edges.slice(1).entries()) {
    const outcome = decoder.push(wire.subarray(edges[at], edge));
    early.push(...outcome.pieces);
    refused = outcome.refused;
  }
  const end = decoder.end();
  const isEnded = !isRefused(end);
  if (refused !== undefined && (isEnded || end.reason !== refused.reason)) throw new Error('a refusal did not stay');
  const last = isEnded ? end.pieces : [];
  return {
    early: dataOf(early),
    last: dataOf(last),
    wire: Buffer.concat([...early, ...last].map(bytesOfPiece)),
    trailers: isEnded ? end.trailers : undefined,
    reason: isEnded ? 'ended' : end.reason,
    detail: isEnded ? undefined : end.detail,
  };
}

function dataOf(pieces: readonly PayloadPiece[]): Buffer {
  return Buffer.concat(pieces.filter(({ kind }) => kind === 'data').map(bytesOfPiece));
}

function isChunked(payload: Examined['payload']): payload is ChunkedPayload {
  return isChunkedMode(payload.kind);
}
