import { REFUSALS, type Description, type RefusalReason } from '@sigv4-keyd/sigv4-core';

/** The reasons that a front has beside those of the signature, with what to do about each. */
export const FRONT_REFUSALS = {
  // the message itself
  'malformed-http': 'Send a well-formed HTTP/1.1 request.',
  'headers-too-large': 'Send fewer or shorter headers.',
  'ambiguous-length': 'Send either Content-Length or Transfer-Encoding: chunked, once.',
  'method-refused': 'Use another method: CONNECT and TRACE are not served.',
  'upgrade-refused': 'Send a plain HTTP/1.1 request: upgrades are not served.',
  'connection-names-signed-header': 'Do not name a signed header in Connection: it would not reach the upstream.',
  'body-too-large': 'Send a smaller body, or in parts.',
  'request-timeout': 'Send the request without long pauses.',
  // this side
  'spool-unavailable': 'Try again later: the body cannot be held for checking now.',
  'upstream-unreachable': 'Try again later: the service behind this endpoint cannot be reached.',
  'upstream-failed': 'Try again later: the service behind this endpoint broke off.',
  'upstream-timeout': 'Try again later: the service behind this endpoint did not answer in time.',
  'internal-error': 'Try again; the log has the cause under the request id.',
  // forward auth
  'missing-original-request':
    'Let the front set this header, or set KEYD_FORWARD_AUTH_FROM to the way in which it tells.',
  'ambiguous-original-request': 'Let the front overwrite the headers that it speaks through: one came twice.',
  'reserved-header': 'Send no header of this name: those that begin with x-keyd- are set by the front.',
  'body-not-seen': 'Send no body, or use an endpoint that sees bodies: forward auth cannot check this one.',
} as const satisfies Readonly<Record<string, string>>;

export type FrontRefusalReason = keyof typeof FRONT_REFUSALS;
export type AnyRefusalReason = RefusalReason | FrontRefusalReason;

/** Why a request is not served. `cause` is for the log alone. */
export interface Refusal {
  readonly reason: AnyRefusalReason;
  readonly detail?: string;
  readonly cause?: unknown;
  /** Told to the client: what its request looks like from here. */
  readonly description?: Description;
}

/** What the client is told to do. */
export function sentenceOf(reason: AnyRefusalReason): string {
  return isFrontRefusal(reason) ? FRONT_REFUSALS[reason] : REFUSALS[reason];
}

function isFrontRefusal(reason: AnyRefusalReason): reason is FrontRefusalReason {
  return Object.hasOwn(FRONT_REFUSALS, reason);
}
