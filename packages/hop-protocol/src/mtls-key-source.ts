import type { AnswerScope } from './key-answer.js';
import { decodeKeyAnswer } from './key-answer.js';
import { keyAnswer, type Hop } from './hops.js';
import type { KeySource } from './key-source.js';
import type { PeerClient } from './peer-client.js';

/** The lower side of a hop: asks the parent over mTLS. `scope` is what our own certificate says. */
export function mtlsKeySource<Key>(hop: Hop<Key>, scope: AnswerScope, parent: PeerClient): KeySource<Key> {
  return {
    async issue(request) {
      const message = await parent.call({ method: 'POST', path: hop.path, body: request, answer: keyAnswer });
      return decodeKeyAnswer(hop, request, scope, message);
    },
  };
}
