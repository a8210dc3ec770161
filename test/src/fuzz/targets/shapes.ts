import {
  isRefused,
  reference,
  type Examined,
  type RequestHead,
  type SignatureKey,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import { readBothWays, type ReadBothWays } from '../../sigv4-core/both-ways.js';
import { publicKey, SECRET, signingKey } from '../../sigv4-core/policy.js';
import { hold, type Target } from '../engine/target.js';
import { isKnownRefusal } from './refusals.js';
import { headOf, policyFor, REQUEST_WORDS, signedElsewhere } from './request.js';
import { BODY_SHA256, NOW, signedAnew } from './second-signer.js';

/** Stands between two heads. */
const BETWEEN = '\x1d';

const SEEDS = (
  await signedElsewhere({
    method: 'PUT',
    path: '/photos/a',
    query: new Map([['list-type', ['2']]]),
    headers: new Map([
      ['x-amz-meta-a', ['one']],
      ['content-type', ['text/plain']],
    ]),
    host: 'example.amazonaws.com',
    body: 'the body',
    secretAccessKey: SECRET,
    sessionToken: 'a+b/c=',
    now: NOW,
  })
).map((head) => head.toString('latin1'));

/**
 * Two whole heads. The first one is signed, accepted, and its shape learnt; what is then said of either of them, as it
 * came and signed anew, is what the reference says.
 */
const shapes: Target = {
  name: 'shapes',
  covers: ['packages/sigv4-core/dist/'],
  seeds: SEEDS.flatMap((head) => [head, `${head}${BETWEEN}${changed(head)}`]),
  words: [...REQUEST_WORDS, BETWEEN],
  mostBytes: 4096,
  run(input) {
    const heads = input.toString('latin1').split(BETWEEN, 2).map(headOf);
    const [first = headOf('')] = heads;
    const policy = policyFor(first);
    const learnt = signed(first, policy);
    if (learnt === undefined) return false;
    hold(!isKnownRefusal(read(learnt, policy).verdict), 'what the second signer signs is accepted');
    let shaped = 0;
    for (const head of heads) {
      for (const one of [head, signed(head, policy)]) {
        if (one === undefined) continue;
        const { verdict, isShaped } = read(one, policy);
        hold(
          one === head || !isKnownRefusal(verdict),
          'what the second signer signs is accepted, of a known shape too',
        );
        if (isShaped) shaped += 1;
      }
    }
    return shaped > 0;
  },
};

export const SHAPES: readonly Target[] = [shapes];

/** With the second signer's signature; undefined for what is refused whatever the signature, and for ECDSA. */
function signed(head: RequestHead, policy: VerificationPolicy): RequestHead | undefined {
  const examined = reference.examineRequest(head, policy, NOW);
  if (isRefused(examined) || examined.algorithm !== 'AWS4-HMAC-SHA256') return undefined;
  return signedAnew(head, examined, policy);
}

function read(head: RequestHead, policy: VerificationPolicy): ReadBothWays {
  const keyOf = ({ algorithm, scope }: Examined): SignatureKey =>
    algorithm === 'AWS4-HMAC-SHA256' ? signingKey(scope) : publicKey();
  return readBothWays(head, { policy, now: NOW, keyOf, bodySha256: BODY_SHA256 });
}

/**
 * The same client's next request: another path, another access key, another value of a header that is mostly alike, and
 * the same second of another minute.
 */
function changed(head: string): string {
  return head
    .replace('photos', 'other')
    .replace('AKIDEXAMPLE', 'AKIDOTHER')
    .replace('text/plain', 'text/html')
    .replaceAll('T120000Z', 'T115900Z');
}
