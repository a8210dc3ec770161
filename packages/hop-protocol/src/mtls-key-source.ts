import type { AnswerScope } from './key-answer.js';
import { decodeKeyAnswer } from './key-answer.js';
import { keyAnswer, type Hop } from './hops.js';
import type { KeySource } from './key-source.js';
import type { PeerClient } from './peer-client.js';

/** The lower side of a hop: asks the parent over mTLS. `scope` is what our own certificate says. */
export function mtlsKeySource<Key>(hop: Hop<Key>, scope: AnswerScope, parent: PeerClient): KeySource<Key> {
  return {
    issue(request) {
      // Read as part of the call: a parent that answers anything else is put aside, and the next one is asked.
      const answer = keyAnswer.transform((message) => decodeKeyAnswer(hop, request, scope, message));
      return parent.call({ method: 'POST', path: hop.path, body: request, answer, isHedged: true });
    },
  };
}
