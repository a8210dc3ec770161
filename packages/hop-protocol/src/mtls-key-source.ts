import type { AnswerScope } from './key-answer.js';
import { decodeKeyAnswer } from './key-answer.js';
import { keyAnswer, type Hop } from './hops.js';
import type { KeySource } from './key-source.js';
import type { PeerClient } from './peer-client.js';
import { Recipient } from './sealed-keys/agreement.js';
import { readSealedAnswer } from './sealed-keys/sealed-answer.js';
import { acceptSealed, SEALED_KEYS_TYPE } from './sealed-keys/sealed-type.js';

/**
 * The lower side of a hop: asks the parent over mTLS, for keys that are sealed to this one question, or in the clear
 * where the parent is of an earlier release. `scope` is what our own certificate says.
 */
export function mtlsKeySource<Key>(hop: Hop<Key>, scope: AnswerScope, parent: PeerClient): KeySource<Key> {
  return {
    issue(request, requestId) {
      // Read as part of the call: a parent that answers anything else is put aside, and the next one is asked.
      const answer = keyAnswer.transform((message) => decodeKeyAnswer(hop, request, scope, message));
      const recipient = new Recipient();
      const otherForm = {
        type: SEALED_KEYS_TYPE,
        accept: acceptSealed(recipient, 'application/json'),
        read: (body: Buffer) => readSealedAnswer(hop, { request, scope, recipient }, body),
      };
      const question = { method: 'POST', path: hop.path, body: request, requestId } as const;
      return parent.call({ ...question, answer, otherForm, isHedged: true });
    },
  };
}
