import type { Authentication } from './authentication.js';
import type { Mechanism } from './canonical-query.js';
import { readChunkedPayload } from './chunked/chunked-payload.js';
import type { HeaderTable } from './header-table.js';
import { isS3Service } from './path-rule.js';
import { parsePayloadMode } from './payload-mode.js';
import type { PayloadMode } from './payload-mode.js';
import type { VerificationPolicy } from './policy.js';
import type { QueryParameters } from './query-parameters.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';

/** The mode of a request that states none: S3 leaves the payload of presigned URLs unsigned, others hash the body. */
export function unstatedPayloadMode(mechanism: Mechanism, service: string): PayloadMode {
  return { kind: mechanism === 'presigned' && isS3Service(service) ? 'unsigned' : 'body' };
}

/** Finds the payload mode of a request, from signed input alone, and whether it is accepted. */
export function choosePayloadMode(
  headers: HeaderTable,
  query: QueryParameters,
  { mechanism, algorithm }: Pick<Authentication, 'mechanism' | 'algorithm'>,
  policy: VerificationPolicy,
): PayloadMode | Refused {
  const stated =
    headers.get('x-amz-content-sha256') ??
    (mechanism === 'presigned' ? query.amz.get('x-amz-content-sha256') : undefined);
  const mode = stated === undefined ? unstatedPayloadMode(mechanism, policy.service) : parsePayloadMode(stated);
  if (mode === undefined) return refuse('malformed-payload-hash');
  if (!policy.payloadModes.has(mode.kind)) return refuse('payload-mode-refused', mode.kind);
  // Chunks are chained to a signature in the header, and signed with HMAC; ECDSA's own chunks are not verified here.
  const streaming = mode.kind.startsWith('streaming-');
  const isSimple = mode.kind === 'streaming-unsigned-trailer' || algorithm === 'AWS4-HMAC-SHA256';
  if (streaming && (mechanism === 'presigned' || !isSimple || mode.kind.startsWith('streaming-ecdsa'))) {
    return refuse('payload-mode-refused', mode.kind);
  }
  switch (mode.kind) {
    case 'streaming-signed':
    case 'streaming-signed-trailer':
    case 'streaming-unsigned-trailer':
      return readChunkedPayload(mode.kind, headers);
    case 'exact':
    case 'body':
    case 'unsigned':
    case 'streaming-events':
    case 'streaming-ecdsa':
    case 'streaming-ecdsa-trailer':
      return mode;
  }
}
