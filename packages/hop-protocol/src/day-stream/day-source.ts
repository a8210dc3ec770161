import type { Hop } from '../hops.js';
import type { AnswerScope } from '../key-answer.js';
import { dayStreamPath, type DayStreamRequest } from './day-stream-api.js';
import type { StreamedKey } from './key-page.js';
import type { PeerStreams } from './peer-streams.js';
import { readDayStream } from './read-day-stream.js';

/** A day's keys as a stream of pages, in ascending order of the ids. The keys of a page are good until the next. */
export interface DaySource {
  /** Throws WrongStream, KeydError, or an Error for what broke it. */
  pages(request: DayStreamRequest): AsyncIterable<readonly StreamedKey[]>;
}

/** The lower side of a hop's streams: asks the parent over mTLS. `scope` is what our own certificate says. */
export function mtlsDaySource(
  hop: Pick<Hop<never>, 'path' | 'keyBytes'>,
  scope: AnswerScope,
  parent: PeerStreams,
): DaySource {
  return {
    pages: (request) =>
      parent.read({
        path: dayStreamPath(hop),
        body: request,
        read: (body) => readDayStream({ request, scope, keyBytes: hop.keyBytes }, body),
      }),
  };
}
