import { createHash } from 'node:crypto';
import { checkedParts, declaredChecksums } from '@sigv4-keyd/payload-streams';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { concludeRequest, isRefused, PAYLOAD_TOKENS } from '@sigv4-keyd/sigv4-core';
import { verifiedBytes, type ChunkedArrival } from '../proxy/chunked-payload.js';
import type { BodyRules } from '../proxy/verified-payload.js';
import { verifyUnseenPayload, type Vouched } from './unseen-payload.js';

/** A request whose body the front sends along with its question. */
export type SentPayload = Pick<ChunkedArrival, 'examined' | 'key' | 'framing' | 'parts' | 'objection'>;

/** The last steps where the front sends the whole body along: it is verified, and none of it is kept. */
export async function verifySentPayload(sent: SentPayload, rules: BodyRules): Promise<Vouched | Refusal> {
  const { examined, key, framing } = sent;
  const { payload } = examined;
  switch (payload.kind) {
    case 'exact':
    case 'body':
      return verifyHashed(sent, rules);
    case 'streaming-signed':
    case 'streaming-signed-trailer':
    case 'streaming-unsigned-trailer':
      return verifyChunked({ ...sent, payload }, rules);
    case 'unsigned':
    case 'streaming-events':
    case 'streaming-ecdsa':
    case 'streaming-ecdsa-trailer':
      return verifyUnseenPayload(examined, key, framing.present, { ...rules, bodies: 'declared' });
  }
}

async function verifyHashed({ examined, key, parts }: SentPayload, { limits }: BodyRules): Promise<Vouched | Refusal> {
  const declared = declaredChecksums(examined);
  if (isRefused(declared)) return declared;
  if (examined.payload.kind === 'exact') {
    // The stated hash is enough to check the signature: nobody makes us read a body with a made-up one.
    const concluded = concludeRequest(examined, key);
    if (isRefused(concluded)) return concluded;
  }
  const hash = createHash('sha256');
  for await (const part of checkedParts(parts(limits.largest), declared)) hash.update(part);
  const payloadSha256 = hash.digest('hex');
  const accepted = concludeRequest(examined, key, payloadSha256);
  return isRefused(accepted) ? accepted : { accepted, payloadSha256 };
}

async function verifyChunked(
  arrival: SentPayload & Pick<ChunkedArrival, 'payload'>,
  { limits, chunks }: BodyRules,
): Promise<Vouched | Refusal> {
  const accepted = concludeRequest(arrival.examined, arrival.key);
  if (isRefused(accepted)) return accepted;
  const declared = declaredChecksums(arrival.examined);
  if (isRefused(declared)) return declared;
  const verified = verifiedBytes({ ...arrival, declared }, { chunks, largest: limits.largest, form: 'decoded' });
  // The front has the body and sends it on as it came: here it is read for its proof alone.
  while (!(await verified.next()).done);
  return { accepted, payloadSha256: PAYLOAD_TOKENS[arrival.payload.kind] };
}
