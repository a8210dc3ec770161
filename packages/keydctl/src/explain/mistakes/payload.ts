import { EMPTY_BODY_SHA256, PAYLOAD_TOKENS } from '@sigv4-keyd/sigv4-core';
import type { Family } from '../mistake.js';

/** What stands for the body in the signature, where it is not what the request says. */
export const payloadMistakes: Family = function* (sketch, { bodyHashes }) {
  const right = sketch.payloadHash;
  const tries: readonly (readonly [hash: string, id: string, what: string, next: string])[] = [
    [EMPTY_BODY_SHA256, 'payload-empty', 'The hash of an empty body was signed.', HASH_BODY],
    [
      PAYLOAD_TOKENS.unsigned,
      'payload-unsigned',
      'UNSIGNED-PAYLOAD was signed, and the request does not say so.',
      STATE,
    ],
    [right.toLowerCase(), 'payload-case', 'The hash was signed in lower case, and sent in upper case.', LOWER_CASE],
    ['', 'payload-left-out', 'The payload was left out of the canonical request.', HASH_BODY],
  ];
  const fixed = tries.map(([hash, id, what, next]) => ({ hash, finding: { id, what, next } }));
  for (const { hash, finding } of [...fixed, ...bodyHashes]) {
    if (hash !== right) yield { about: 'payload', sketch: { ...sketch, payloadHash: hash }, finding };
  }
};

const HASH_BODY = 'Hash the very body that is sent (curl before 8.0 does not with -T or --upload-file).';
const STATE = 'Send x-amz-content-sha256 with exactly what was signed.';
const LOWER_CASE = 'Send it in lower case.';
