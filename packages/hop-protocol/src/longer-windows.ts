import type { WindowRule } from '@sigv4-keyd/sigv4-core';

/** A tier below and the window that it reports; of an older release: none. */
export interface ReportedWindow {
  readonly spiffeId: string;
  readonly window: WindowRule | undefined;
}

/**
 * What is wrong when tiers below accept signatures for longer than this one keeps keys and revocations, or undefined:
 * they would ask for keys that are refused and, worse, go on accepting what was revoked once it is forgotten above.
 */
export function longerWindows(own: WindowRule, below: readonly ReportedWindow[]): string | undefined {
  const longer = below.filter(({ window }) => window !== undefined && secondsOf(window) > secondsOf(own));
  const [first] = longer;
  if (!first?.window) return undefined;
  const others = longer.length === 1 ? '' : ` and ${longer.length - 1} more`;
  return (
    `${first.spiffeId}${others}: signatures are accepted there for ${sumOf(first.window)}, but keys and revocations are ` +
    `kept here for ${sumOf(own)} only; set KEYD_LONGEST_PRESIGNED and KEYD_CLOCK_SKEW no lower here than there`
  );
}

function secondsOf({ longestPresignedSeconds, clockSkewSeconds }: WindowRule): number {
  return longestPresignedSeconds + clockSkewSeconds;
}

function sumOf(window: WindowRule): string {
  return `${window.longestPresignedSeconds}s + ${window.clockSkewSeconds}s = ${secondsOf(window)}s`;
}
