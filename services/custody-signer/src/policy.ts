import { isInWindow, KeydError, type DerivationRequest, type WindowRule } from '@sigv4-keyd/hop-protocol';

/**
 * kDate of a date outside the window is for nobody, whatever a master says that it needs it for: by the signer's own
 * clock. A public key and another seal of the same secret are of no date.
 */
export function requireInWindow(window: WindowRule, request: DerivationRequest, now: number): void {
  if (request.want !== 'kDate' || isInWindow(window, request.date, now)) return;
  throw new KeydError('date-outside-window', { detail: request.date });
}
