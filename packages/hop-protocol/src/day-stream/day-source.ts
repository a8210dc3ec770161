import type { Hop } from '../hops.js';
import type { AnswerScope } from '../key-answer.js';
import { Recipient } from '../sealed-keys/agreement.js';
import { acceptSealed } from '../sealed-keys/sealed-type.js';
import { DAY_STREAM_TYPE, dayStreamPath, type DayStreamRequest } from './day-stream-api.js';
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
    pages(request) {
      const recipient = new Recipient();
      return parent.read({
        path: dayStreamPath(hop),
        body: request,
        accept: acceptSealed(recipient, DAY_STREAM_TYPE),
        read: (body) => readDayStream({ request, scope, hop, recipient }, body),
      });
    },
  };
}
