import {
  examineRequest,
  isRefused,
  isSha256Hex,
  LONGEST_PRESIGNED_SECONDS,
  parseAmzDate,
  PAYLOAD_TOKENS,
  pathRuleOf,
  REFUSALS,
  sha256Hex,
  type PayloadModeKind,
  type RefusalReason,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import type { CapturedRequest } from './capture/captured-request.js';
import { headerOf } from './capture/head-lines.js';
import { quoted, type Finding } from './finding.js';
import type { Presented } from './presented.js';
import { sessionTokenFindings } from './session-token.js';

/** What is wrong before any key is looked for: by the rules of the edge, with nothing particular to one. */
export function structureFindings(request: CapturedRequest, presented: Presented): readonly Finding[] {
  return [
    ...refusedParts(request, presented),
    ...otherBody(request),
    ...sessionTokenFindings(request, presented),
    ...serverReason(request),
  ];
}

function refusedParts(request: CapturedRequest, presented: Presented): readonly Finding[] {
  const now = parseAmzDate(presented.amzDate)?.at ?? 0;
  const examined = examineRequest(request, lenientPolicy(presented), now);
  if (!isRefused(examined)) return [];
  const { reason, detail } = examined;
  const about = detail === undefined ? '' : ` (${quoted(detail)})`;
  return [{ id: reason, what: `It would be refused as ${reason}${about}.`, next: REFUSALS[reason] }];
}

function otherBody({ rawHeaders, body }: CapturedRequest): readonly Finding[] {
  const stated = headerOf(rawHeaders, 'x-amz-content-sha256');
  if (body === undefined || stated === undefined || !isSha256Hex(stated) || sha256Hex(body) === stated) return [];
  const what = 'The body is not the one whose hash x-amz-content-sha256 states.';
  return [{ id: 'payload-hash-mismatch', what, next: REFUSALS['payload-hash-mismatch'] }];
}

function serverReason({ serverReason: reason }: CapturedRequest): readonly Finding[] {
  if (reason === undefined || !isReason(reason)) return [];
  return [{ id: 'server-reason', what: `The server refused it as ${reason}.`, next: REFUSALS[reason] }];
}

function isReason(text: string): text is RefusalReason {
  return Object.hasOwn(REFUSALS, text);
}

const EVERY_MODE: ReadonlySet<PayloadModeKind> = new Set<PayloadModeKind>([
  'exact',
  'body',
  ...tokenModes(Object.keys(PAYLOAD_TOKENS)),
]);

function tokenModes(names: readonly string[]): readonly (keyof typeof PAYLOAD_TOKENS)[] {
  return names.filter((name): name is keyof typeof PAYLOAD_TOKENS => Object.hasOwn(PAYLOAD_TOKENS, name));
}

function lenientPolicy({ region, service }: Presented): VerificationPolicy {
  return {
    region,
    service,
    algorithms: new Set(['AWS4-HMAC-SHA256'] as const),
    pathRule: pathRuleOf(service),
    clockSkewSeconds: 900,
    presigned: { longestSeconds: LONGEST_PRESIGNED_SECONDS },
    acceptsDate: () => true,
    acceptsHost: () => true,
    payloadModes: EVERY_MODE,
    sessionTokens: 'signed',
    unnormalisedPaths: 'accepted',
  };
}
