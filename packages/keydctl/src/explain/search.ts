import { createHash } from 'node:crypto';
import { Derivations } from './derivation.js';
import type { Finding } from './finding.js';
import type { Family, Variant } from './mistake.js';
import { headerMistakes } from './mistakes/headers.js';
import { hostMistakes } from './mistakes/host.js';
import { methodMistakes } from './mistakes/method.js';
import { pathMistakes } from './mistakes/path.js';
import { payloadMistakes } from './mistakes/payload.js';
import { queryMistakes } from './mistakes/query.js';
import { scopeMistakes } from './mistakes/scope.js';
import { secretMistakes } from './mistakes/secret.js';
import type { Case, Sketch } from './sketch.js';

/** The most frequent first: the first explanation that fits is the one that is told. */
const FAMILIES: readonly Family[] = [
  payloadMistakes,
  hostMistakes,
  headerMistakes,
  pathMistakes,
  queryMistakes,
  secretMistakes,
  scopeMistakes,
  methodMistakes,
];

/**
 * What is tried of a request, in characters to be hashed: pairs of mistakes in a request of fifty headers, and some
 * seconds. Their number grows with the square of the request's parts, and any file can be given as a recording.
 */
const MOST_CHARACTERS = 128 * 1024 * 1024;

/** The mistakes by which the presented signature comes about: none, one or two; undefined when no such were found. */
export function findMistakes(given: Case): readonly Finding[] | undefined {
  const derivations = new Derivations();
  // Only the signature itself matters here; that its hex digits are in lower case is a finding of its own.
  const presented = given.presented.signature.toLowerCase();
  const fits = (sketch: Sketch): boolean =>
    derivations.signature(sketch.derivation, stringToSign(sketch, given)) === presented;
  let triesLeft = Math.floor(MOST_CHARACTERS / canonicalRequest(given.sketch, given).length);
  const variantsOf = function* (sketch: Sketch): Iterable<Variant> {
    for (const family of FAMILIES) {
      for (const variant of family(sketch, given)) {
        if (triesLeft === 0) return;
        triesLeft -= 1;
        yield variant;
      }
    }
  };
  if (fits(given.sketch)) return [];
  for (const { sketch, finding } of variantsOf(given.sketch)) if (fits(sketch)) return [finding];
  for (const first of variantsOf(given.sketch)) {
    for (const second of variantsOf(first.sketch)) {
      // Each pair once: the order in which two mistakes are made is the same for what comes of them.
      if (first.about < second.about && fits(second.sketch)) return [first.finding, second.finding];
    }
  }
  return undefined;
}

function stringToSign(sketch: Sketch, given: Case): string {
  const hash = createHash('sha256').update(canonicalRequest(sketch, given), 'latin1').digest('hex');
  return `AWS4-HMAC-SHA256\n${sketch.amzDate}\n${sketch.scope}\n${hash}`;
}

function canonicalRequest(sketch: Sketch, { presented }: Case): string {
  const lines = [...sketch.headers].map(([name, value]) => `${name}:${value}\n`).join('');
  return [
    sketch.method,
    sketch.canonicalUri,
    sketch.canonicalQuery,
    lines,
    presented.signedHeaders.join(';'),
    sketch.payloadHash,
  ].join('\n');
}
