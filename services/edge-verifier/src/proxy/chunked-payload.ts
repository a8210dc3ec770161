import { Readable } from 'node:stream';
import { PayloadRefused, verifiedChunks, type ChunkedForm, type Checksums } from '@sigv4-keyd/payload-streams';
import {
  ChunkDecoder,
  refuse,
  type ChunkedPayload,
  type ChunkLimits,
  type Examined,
  type SignatureKey,
} from '@sigv4-keyd/sigv4-core';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import type { PayloadFraming } from './incoming-payload.js';
import { PayloadError } from './payload-error.js';

export interface ChunkedRules {
  readonly chunks: ChunkLimits;
  /** Bytes of data. */
  readonly largest: number;
  /** What the reader gets. */
  readonly form: ChunkedForm;
}

export interface ChunkedBodyRules extends ChunkedRules {
  /** Bodies up to this size, bytes of data, are verified whole before the upstream hears of the request. */
  readonly inMemory: number;
}

export interface ChunkedArrival {
  readonly examined: Examined;
  readonly payload: ChunkedPayload;
  readonly key: SignatureKey;
  readonly declared: Checksums;
  readonly framing: PayloadFraming;
  readonly parts: (largest: number) => AsyncIterable<Buffer>;
  /** Why the request is not accepted any more; a body may take hours. */
  readonly objection: () => Refusal['reason'] | undefined;
}

export interface ChunkedBody {
  readonly body: Buffer | Readable;
  /** Bytes; undefined: in chunks of HTTP. */
  readonly contentLength: number | undefined;
  /** Stops the reading; to be called whatever happened. */
  readonly dispose: () => Promise<void>;
}

/**
 * A body in chunks, for the upstream. It is given when its first chunk was verified at the latest, and breaks off with
 * an error when a later one is wrong: the upstream was told a length that it never gets. Throws what the body is
 * refused for.
 */
export async function openChunkedBody(arrival: ChunkedArrival, rules: ChunkedBodyRules): Promise<ChunkedBody> {
  const { payload, framing } = arrival;
  const verified = verifiedBytes(arrival, rules);
  if (payload.decodedLength <= rules.inMemory) {
    const pieces: Buffer[] = [];
    for await (const piece of verified) pieces.push(piece);
    const body = Buffer.concat(pieces);
    return { body, contentLength: body.length, dispose: () => Promise.resolve() };
  }
  const first = await verified.next();
  const body = Readable.from(resumed(first, verified), { objectMode: false });
  return {
    body,
    contentLength: rules.form === 'decoded' ? payload.decodedLength : framing.length,
    dispose() {
      body.destroy();
      // Not awaited: where a part of the body is awaited still, it ends with that part or the pause's limit.
      verified.return().catch(() => undefined);
      return Promise.resolve();
    },
  };
}

/** The verified bytes of a body in chunks. Throws what the body is refused for. */
export function verifiedBytes(arrival: ChunkedArrival, rules: ChunkedRules): AsyncGenerator<Buffer, void, undefined> {
  const { examined, payload, key, declared, framing, objection } = arrival;
  if (payload.decodedLength > rules.largest) throw new PayloadError('body-too-large');
  if (framing.length !== undefined && framing.length < payload.decodedLength) {
    throw new PayloadRefused(refuse('decoded-length-mismatch', 'content-length is below it'));
  }
  // The decoder bounds the framing by the size of chunks, and the data by the decoded length: no limit is needed here.
  const parts = arrival.parts(Number.POSITIVE_INFINITY);
  return verifiedChunks(parts, new ChunkDecoder({ ...examined, payload }, key, rules.chunks), {
    trailers: payload.trailers,
    declared,
    form: rules.form,
    beforeEnd() {
      const reason = objection();
      if (reason !== undefined) throw new PayloadError(reason);
    },
  });
}

async function* resumed(
  first: IteratorResult<Buffer, void>,
  rest: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  if (!first.done) yield first.value;
  yield* rest;
}
