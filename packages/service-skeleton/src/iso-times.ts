/**
 * Writes times as ISO 8601 does, in UTC with milliseconds; given in epoch milliseconds. The last one is kept: lines of
 * the log come together, and so do requests that were signed in the same second. To write it anew takes as long as a
 * hash of a path.
 */
export function isoTimes(): (epochMs: number) => string {
  let last = Number.NaN;
  let text = '';
  return (epochMs) => {
    if (epochMs !== last) {
      text = new Date(epochMs).toISOString();
      last = epochMs;
    }
    return text;
  };
}
