import { FEED_BEAT_MS } from '@sigv4-keyd/hop-protocol';
import { feedKeys, httpsUrls, list, seconds } from '@sigv4-keyd/service-skeleton';

/** A horizon of fewer beats would deny for one answer that was lost. */
const FEWEST_BEATS = 2;
const BEAT_SECONDS = FEED_BEAT_MS / 1000;

const httpsDocuments = list.transform((texts, context): readonly URL[] =>
  texts.flatMap((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '') return [url];
    const message = 'must be https URLs of documents, such as https://HOST/feed.json';
    context.issues.push({ code: 'custom', input: text, message });
    return [];
  }),
);

/** What an edge needs to know of the feed. */
export const feedSettings = {
  feedKeys,
  feedRegions: httpsUrls.optional().describe('region-keyd of other regions, as further sources of the feed alone'),
  feedSources: httpsDocuments.optional().describe('Copies of the feed document on web servers, as further sources'),
  softHorizon: seconds.prefault('60s').describe('Older news of revocations are told in log and readiness'),
  hardHorizon: seconds.prefault('12h').describe('With older news of revocations every request is denied'),
};

interface Settings {
  readonly softHorizon: number;
  readonly hardHorizon: number;
}

/** What is wrong with the two horizons together, or undefined. */
export function horizonProblem({ softHorizon, hardHorizon }: Settings): string | undefined {
  if (hardHorizon < FEWEST_BEATS * BEAT_SECONDS) {
    const least = `${FEWEST_BEATS} beats of the feed: ${FEWEST_BEATS} x ${BEAT_SECONDS}s = ${FEWEST_BEATS * BEAT_SECONDS}s`;
    return `KEYD_HARD_HORIZON is ${hardHorizon}s, but must be at least ${least}`;
  }
  if (softHorizon < hardHorizon) return undefined;
  return `KEYD_SOFT_HORIZON (${softHorizon}s) must be below KEYD_HARD_HORIZON (${hardHorizon}s)`;
}
