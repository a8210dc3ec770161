import {
  decodeKeyAnswer,
  keyAnswer,
  type AnswerScope,
  type Hop,
  type KeySource,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';

/** Asks as releases do that know no sealed keys: the answer is JSON, with the keys as text. */
export function askedAsEarlier<Key>(hop: Hop<Key>, scope: AnswerScope, parent: PeerClient): KeySource<Key> {
  return {
    issue(request) {
      const answer = keyAnswer.transform((message) => decodeKeyAnswer(hop, request, scope, message));
      return parent.call({ method: 'POST', path: hop.path, body: request, answer });
    },
  };
}
