import type { WindowRule } from '@sigv4-keyd/hop-protocol';

/** What decides how many days an edge holds keys of; the times in seconds. */
export interface WindowSettings {
  readonly presigned: boolean;
  readonly longestPresigned: number;
  readonly clockSkew: number;
}

/** The days whose keys the edge holds: past ones only for as long as a presigned URL may live. */
export function windowRuleOf(settings: WindowSettings): WindowRule {
  return {
    longestPresignedSeconds: settings.presigned ? settings.longestPresigned : 0,
    clockSkewSeconds: settings.clockSkew,
  };
}
