import { DEFAULT_CLOCK_SKEW_SECONDS, parseAmzDate } from '@sigv4-keyd/sigv4-core';
import type { CapturedRequest } from './capture/captured-request.js';
import type { Finding } from './finding.js';
import type { Presented } from './presented.js';

/** Whether the request was signed at the time at which it was sent. `at` in epoch milliseconds; nothing without it. */
export function clockFindings(
  { target }: CapturedRequest,
  { mechanism, amzDate }: Presented,
  at: number | undefined,
): readonly Finding[] {
  const signedAt = parseAmzDate(amzDate)?.at;
  if (signedAt === undefined || at === undefined) return [];
  const seconds = Math.round((at - signedAt) / 1000);
  const allowed = DEFAULT_CLOCK_SKEW_SECONDS;
  if (seconds < -allowed) {
    const what = `It was signed ${-seconds} seconds after it was sent, by the server's clock: the client's clock is ahead.`;
    return [{ id: 'clock-ahead', what, next: 'Set the clock of the client (UTC counts, the time zone does not).' }];
  }
  if (mechanism === 'presigned') return expiryFindings(target, seconds);
  if (seconds <= allowed) return [];
  const what = `It was signed ${seconds} seconds before it was sent: the client's clock is behind, or it was kept too long.`;
  return [{ id: 'clock-behind', what, next: 'Set the clock of the client, and sign right before sending.' }];
}

function expiryFindings(target: string, seconds: number): readonly Finding[] {
  const expires = Number(/[?&]X-Amz-Expires=([0-9]+)/i.exec(target)?.[1] ?? Number.NaN);
  if (!(seconds >= expires)) return [];
  const what = `The URL was good for ${expires} seconds and was used ${seconds} seconds after it was signed.`;
  return [{ id: 'presigned-expired', what, next: 'Presign again, or for longer (at most 604800 seconds).' }];
}
