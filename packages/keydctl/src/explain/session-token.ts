import { isSessionAccessKeyId, parseAmzDate, REFUSALS, type SessionTokenReason } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import type { CapturedRequest } from './capture/captured-request.js';
import { headerOf } from './capture/head-lines.js';
import { quoted, type Finding } from './finding.js';
import { parametersOf, type Presented } from './presented.js';

/** As far as it matters here. Nobody proves the claims: whoever explains has no key of the feed. */
const claims = z.object({ accessKeyId: z.string(), expires: z.iso.datetime() });

/** What speaks against the session token, or against there being none. Tokens of other makes say nothing here. */
export function sessionTokenFindings(
  { rawHeaders, target, at }: CapturedRequest,
  { accessKeyId, amzDate }: Presented,
): readonly Finding[] {
  const token = headerOf(rawHeaders, 'x-amz-security-token') ?? parametersOf(target).get('x-amz-security-token');
  const isTemporary = isSessionAccessKeyId(accessKeyId);
  if (token === undefined) return isTemporary ? [MISSING] : [];
  if (!isTemporary) {
    return [finding('session-token-mismatch', 'A session token was sent with a long-lived access key.')];
  }
  const said = claimsOf(token);
  if (said === undefined) return [];
  const findings: Finding[] = [];
  if (said.accessKeyId !== accessKeyId) {
    findings.push(finding('session-token-mismatch', `The session token is of ${quoted(said.accessKeyId)}.`));
  }
  if (Date.parse(said.expires) <= (at ?? parseAmzDate(amzDate)?.at ?? 0)) {
    findings.push(finding('session-token-expired', `The session ended at ${said.expires}, by its token.`));
  }
  return findings;
}

const MISSING: Finding = {
  id: 'session-token-missing',
  what: 'The access key is a temporary one (ASIA…), and no session token was sent.',
  next: 'Send x-amz-security-token (AWS_SESSION_TOKEN), and sign it.',
};

function finding(id: SessionTokenReason, what: string): Finding {
  return { id, what, next: REFUSALS[id] };
}

function claimsOf(token: string): z.infer<typeof claims> | undefined {
  const [, payload = ''] = token.split('.');
  try {
    return claims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
