import { createHash } from 'node:crypto';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { concludeRequest, isRefused, type Examined, type KSigning } from '@sigv4-keyd/sigv4-core';
import { verifyUnseenPayload, type Vouched } from './unseen-payload.js';

/** A body that the front sends along with its question. */
export interface SentPayload {
  readonly present: boolean;
  /** Reads it, within the limits. Throws a PayloadError on the way. */
  readonly parts: () => AsyncIterable<Buffer>;
}

/** The last steps where the front sends the whole body along: it is hashed and compared, and none of it is kept. */
export async function verifySentPayload(
  examined: Examined,
  key: KSigning,
  { present, parts }: SentPayload,
  { unsignedPayload }: { readonly unsignedPayload: boolean },
): Promise<Vouched | Refusal> {
  const { kind } = examined.payload;
  if (kind !== 'exact' && kind !== 'body') {
    return verifyUnseenPayload(examined, key, present, { bodies: 'declared', unsignedPayload });
  }
  if (kind === 'exact') {
    // The stated hash is enough to check the signature: nobody makes us read a body with a made-up one.
    const concluded = concludeRequest(examined, key);
    if (isRefused(concluded)) return concluded;
  }
  const hash = createHash('sha256');
  for await (const part of parts()) hash.update(part);
  const payloadSha256 = hash.digest('hex');
  const accepted = concludeRequest(examined, key, payloadSha256);
  return isRefused(accepted) ? accepted : { accepted, payloadSha256 };
}
