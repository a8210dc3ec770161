import { Readable } from 'node:stream';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import {
  concludeRequest,
  EMPTY_BODY_SHA256,
  isRefused,
  type Accepted,
  type Examined,
  type KSigning,
} from '@sigv4-keyd/sigv4-core';
import { UNSIGNED_PAYLOAD } from '../identity-headers.js';
import { holdPayload, type HoldingPlace } from './held-payload.js';
import type { PayloadFraming } from './incoming-payload.js';

/** A request that may go to the upstream: its signature is proven, and its body is the one that was signed. */
export interface Verified {
  readonly accepted: Accepted;
  /** Of the body that is sent on, or UNSIGNED-PAYLOAD. */
  readonly payloadSha256: string;
  readonly body: Buffer | Readable | null;
  /** Bytes; undefined: no body was announced, or one in chunks. */
  readonly contentLength: number | undefined;
  /** Frees what holds the body; to be called whatever happened. */
  readonly dispose: () => Promise<void>;
}

export interface ArrivingPayload {
  readonly framing: PayloadFraming;
  /** Reads the body, which begins it: whoever cannot use it must not call this. Throws a PayloadError on the way. */
  readonly parts: () => AsyncIterable<Buffer>;
}

export interface PayloadRules {
  readonly holding: HoldingPlace;
  readonly unsignedPayload: boolean;
}

/** The last steps, by payload mode. No byte of a body that a signature covers goes on before its hash was compared. */
export async function verifyPayload(
  examined: Examined,
  key: KSigning,
  payload: ArrivingPayload,
  rules: PayloadRules,
): Promise<Verified | Refusal> {
  switch (examined.payload.kind) {
    case 'exact': {
      // The stated hash is enough to check the signature: nobody makes us hold a body with a made-up one.
      const concluded = concludeRequest(examined, key);
      return isRefused(concluded) ? concluded : verifyHeld(examined, key, payload, rules.holding);
    }
    case 'body':
      return verifyHeld(examined, key, payload, rules.holding);
    case 'unsigned':
      return verifyUnsigned(examined, key, payload, rules.unsignedPayload);
    case 'streaming-signed':
    case 'streaming-signed-trailer':
    case 'streaming-unsigned-trailer':
    case 'streaming-events':
    case 'streaming-ecdsa':
    case 'streaming-ecdsa-trailer':
      return { reason: 'payload-mode-refused', detail: examined.payload.kind };
  }
}

async function verifyHeld(
  examined: Examined,
  key: KSigning,
  { framing, parts }: ArrivingPayload,
  place: HoldingPlace,
): Promise<Verified | Refusal> {
  const held = await holdPayload(parts(), place);
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
    dispose: held.dispose,
  };
}

function verifyUnsigned(
  examined: Examined,
  key: KSigning,
  { framing, parts }: ArrivingPayload,
  isAllowed: boolean,
): Verified | Refusal {
  // No bytes leave nothing unsigned: a presigned GET is fine where unsigned bodies are not.
  if (framing.present && !isAllowed) return { reason: 'payload-mode-refused', detail: 'unsigned' };
  const accepted = concludeRequest(examined, key);
  if (isRefused(accepted)) return accepted;
  return {
    accepted,
    payloadSha256: framing.present ? UNSIGNED_PAYLOAD : EMPTY_BODY_SHA256,
    body: framing.present ? Readable.from(parts(), { objectMode: false }) : null,
    contentLength: framing.length,
    dispose: () => Promise.resolve(),
  };
}
