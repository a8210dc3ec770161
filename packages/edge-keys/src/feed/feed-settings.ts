import { feedKeys, httpsUrls, list, seconds } from '@sigv4-keyd/service-skeleton';

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
