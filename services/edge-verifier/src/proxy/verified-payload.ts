import { Readable } from 'node:stream';
import { checkedParts, declaredChecksums, type ChunkedForm, type Checksums } from '@sigv4-keyd/payload-streams';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import {
  concludeRequest,
  EMPTY_BODY_SHA256,
  isRefused,
  PAYLOAD_TOKENS,
  type Accepted,
  type ChunkLimits,
  type Examined,
  type PayloadMode,
  type SignatureKey,
} from '@sigv4-keyd/sigv4-core';
import { UNSIGNED_PAYLOAD } from '../identity-headers.js';
import { openChunkedBody, type ChunkedArrival } from './chunked-payload.js';
import { holdPayload, type HoldingPlace } from './held-payload.js';
import type { PayloadFraming, PayloadLimits } from './incoming-payload.js';

/** A request that may go to the upstream: its signature is proven, and its body is the one that was signed. */
export interface Verified {
  readonly accepted: Accepted;
  /** Of the body that is sent on, or the token of its payload mode. */
  readonly payloadSha256: string;
  readonly body: Buffer | Readable | null;
  /** Bytes; undefined: no body was announced, or one in chunks of HTTP. */
  readonly contentLength: number | undefined;
  /** The body is sent on without the framing that it came in. */
  readonly isUnframed: boolean;
  /** Frees what holds the body; to be called whatever happened. */
  readonly dispose: () => Promise<void> | void;
}

export interface ArrivingPayload {
  readonly framing: PayloadFraming;
  /** Reads the body, which begins it: whoever cannot use it must not call this. Throws a PayloadError on the way. */
  readonly parts: (largest: number) => AsyncIterable<Buffer>;
  /** Why the request is not accepted any more. */
  readonly objection: () => Refusal['reason'] | undefined;
}

/** What is asked of a body at any front. */
export interface BodyRules {
  /** The largest body counts without the framing of chunks. */
  readonly limits: PayloadLimits;
  readonly chunks: ChunkLimits;
  readonly unsignedPayload: boolean;
}

export interface PayloadRules extends BodyRules {
  readonly holding: HoldingPlace;
  /** What the upstream gets of a body in chunks. */
  readonly chunkedForm: ChunkedForm;
}

/** An arriving body with the checksums that its headers state. */
interface DeclaredPayload extends ArrivingPayload {
  readonly declared: Checksums;
}

/**
 * The last steps, by payload mode. No byte that a signature covers goes on before the signature was checked. At once
 * where no body is to come.
 */
export function verifyPayload(
  examined: Examined,
  key: SignatureKey,
  arriving: ArrivingPayload,
  rules: PayloadRules,
): Promise<Verified | Refusal> | Verified | Refusal {
  const { payload } = examined;
  const declared = declaredChecksums(examined);
  if (isRefused(declared)) return declared;
  if (isAbsent(payload, arriving) && declared.size === 0) return verifyAbsent(examined, key, arriving);
  const arrival = { ...arriving, declared };
  if (payload.kind === 'body') return verifyHeld(examined, key, arrival, rules);
  // What the headers state is enough to check the signature: nobody makes us read a body with a made-up one.
  const accepted = concludeRequest(examined, key);
  if (isRefused(accepted)) return accepted;
  switch (payload.kind) {
    case 'exact':
      return verifyHeld(examined, key, arrival, rules);
    case 'unsigned':
      // No bytes leave nothing unsigned: a presigned GET is fine where unsigned bodies are not.
      return arrival.framing.present
        ? verifyUnsigned(accepted, arrival, rules)
        : verifyHeld(examined, key, arrival, rules);
    case 'streaming-signed':
    case 'streaming-signed-trailer':
    case 'streaming-unsigned-trailer':
      return verifyChunked(accepted, { ...arrival, examined, payload, key }, rules);
    case 'streaming-events':
    case 'streaming-ecdsa':
    case 'streaming-ecdsa-trailer':
      return { reason: 'payload-mode-refused', detail: payload.kind };
  }
}

/** A body in chunks has a last chunk at least. */
function isAbsent({ kind }: PayloadMode, { framing }: ArrivingPayload): boolean {
  return !framing.present && (kind === 'exact' || kind === 'body' || kind === 'unsigned');
}

function verifyAbsent(examined: Examined, key: SignatureKey, { framing }: ArrivingPayload): Verified | Refusal {
  const accepted = concludeRequest(examined, key, EMPTY_BODY_SHA256);
  if (isRefused(accepted)) return accepted;
  return {
    accepted,
    payloadSha256: EMPTY_BODY_SHA256,
    body: null,
    contentLength: framing.length,
    isUnframed: false,
    dispose: () => undefined,
  };
}

async function verifyHeld(
  examined: Examined,
  key: SignatureKey,
  { framing, parts, declared }: DeclaredPayload,
  { holding, limits }: PayloadRules,
): Promise<Verified | Refusal> {
  const held = await holdPayload(checkedParts(parts(limits.largest), declared), holding);
  const accepted = concludeRequest(examined, key, held.sha256);
  if (isRefused(accepted)) {
    await held.dispose();
    return accepted;
  }
  return {
    accepted,
    payloadSha256: held.sha256,
    body: held.length === 0 ? null : held.read(),
    contentLength: framing.present ? held.length : framing.length,
    isUnframed: false,
    dispose: held.dispose,
  };
}

function verifyUnsigned(
  accepted: Accepted,
  { framing, parts, declared }: DeclaredPayload,
  { unsignedPayload, limits }: PayloadRules,
): Verified | Refusal {
  if (!unsignedPayload) return { reason: 'payload-mode-refused', detail: 'unsigned' };
  const body = Readable.from(checkedParts(parts(limits.largest), declared), { objectMode: false });
  return {
    accepted,
    payloadSha256: UNSIGNED_PAYLOAD,
    body,
    contentLength: framing.length,
    isUnframed: false,
    dispose: () => void body.destroy(),
  };
}

async function verifyChunked(
  accepted: Accepted,
  arrival: ChunkedArrival,
  { chunks, holding, limits, chunkedForm }: PayloadRules,
): Promise<Verified | Refusal> {
  const { inMemory } = holding;
  const opened = await openChunkedBody(arrival, { chunks, largest: limits.largest, form: chunkedForm, inMemory });
  return {
    accepted,
    payloadSha256: PAYLOAD_TOKENS[arrival.payload.kind],
    ...opened,
    isUnframed: chunkedForm === 'decoded',
  };
}
