import { MOST_FEED_BYTES, parseFeedDocument } from '@sigv4-keyd/revocation';
import { request, type Dispatcher } from 'undici';
import { parseJson, readBounded } from '../bounded-body.js';
import type { FeedSource } from './feed-source.js';

/** How long the host may take to begin its answer, and between two parts of it, milliseconds. */
const TIMEOUT_MS = 5_000;

export interface HttpsFeedSourceOptions {
  readonly dispatcher: Dispatcher;
  /** The largest document that is read, bytes. */
  readonly mostBytes?: number;
}

/**
 * The feed document as a file on a static host: a second opinion that no region can cut off. Its certificate is checked
 * as any web server's; what it serves is believed for its signatures alone. Redirects are refused, as the operator has
 * named one host.
 */
export function httpsFeedSource(
  url: URL,
  { dispatcher, mostBytes = MOST_FEED_BYTES }: HttpsFeedSourceOptions,
): FeedSource {
  let etag: string | undefined;
  return {
    name: `${url.host}${url.pathname}`,
    waits: false,
    async fetch({ version }, _waitSeconds, signal) {
      // The file is known to be unchanged only to one who believed it: after a restart it is read again.
      const known = version > 0 ? etag : undefined;
      const answer = await request(url, {
        dispatcher,
        signal,
        headers: { accept: 'application/json', ...(known !== undefined && { 'if-none-match': known }) },
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
      });
      const bytes = await readBounded(answer.body, mostBytes);
      if (answer.statusCode === 304 && known !== undefined) return undefined;
      if (answer.statusCode !== 200) throw new Error(`${url.host} answered with the HTTP status ${answer.statusCode}`);
      const document = parseFeedDocument(parseJson(bytes));
      const tag = answer.headers['etag'];
      etag = typeof tag === 'string' ? tag : undefined;
      return document;
    },
  };
}
