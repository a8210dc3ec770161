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

/** The mistakes by which the presented signature comes about: none, one or two; undefined when no such are known. */
export function findMistakes(given: Case): readonly Finding[] | undefined {
  const derivations = new Derivations();
  // Only the signature itself matters here; that its hex digits are in lower case is a finding of its own.
  const presented = given.presented.signature.toLowerCase();
  const fits = (sketch: Sketch): boolean =>
    derivations.signature(sketch.derivation, stringToSign(sketch, given)) === presented;
  if (fits(given.sketch)) return [];
  const singles = [...variantsOf(given.sketch, given)];
  for (const { sketch, finding } of singles) if (fits(sketch)) return [finding];
  for (const first of singles) {
    for (const second of variantsOf(first.sketch, given)) {
      // Each pair once: the order in which two mistakes are made is the same for what comes of them.
      if (first.about < second.about && fits(second.sketch)) return [first.finding, second.finding];
    }
  }
  return undefined;
}

function* variantsOf(sketch: Sketch, given: Case): Iterable<Variant> {
  for (const family of FAMILIES) yield* family(sketch, given);
}

function stringToSign(sketch: Sketch, { presented }: Case): string {
  const lines = [...sketch.headers].map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = [
    sketch.method,
    sketch.canonicalUri,
    sketch.canonicalQuery,
    lines,
    presented.signedHeaders.join(';'),
    sketch.payloadHash,
  ].join('\n');
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex');
  return `AWS4-HMAC-SHA256\n${sketch.amzDate}\n${sketch.scope}\n${hash}`;
}
