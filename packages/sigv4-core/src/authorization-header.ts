import { parseAlgorithm } from './algorithm.js';
import type { Algorithm } from './algorithm.js';
import { readParts } from './authentication.js';
import type { Authentication } from './authentication.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { trimBlanks } from './trim-blanks.js';

const NAMES: ReadonlySet<string> = new Set(['Credential', 'SignedHeaders', 'Signature']);

/** Reads `ALGORITHM Credential=…, SignedHeaders=…, Signature=…`: three parts, each once, in any order. */
export function parseAuthorizationHeader(value: string, accepted: ReadonlySet<Algorithm>): Authentication | Refused {
  const space = value.indexOf(' ');
  const algorithm = parseAlgorithm(space < 0 ? value : value.slice(0, space));
  if (algorithm === undefined || !accepted.has(algorithm)) return refuse('unsupported-algorithm', algorithm);
  const found = new Map<string, string>();
  for (const part of value.slice(algorithm.length).split(',', NAMES.size + 1)) {
    const equals = part.indexOf('=');
    const name = trimBlanks(part.slice(0, Math.max(equals, 0)));
    if (!NAMES.has(name)) return refuse('malformed-authorization', 'an unknown part');
    if (found.has(name)) return refuse('malformed-authorization', `${name} is doubled`);
    found.set(name, trimBlanks(part.slice(equals + 1)));
  }
  return readParts('header', algorithm, {
    Credential: found.get('Credential'),
    SignedHeaders: found.get('SignedHeaders'),
    Signature: found.get('Signature'),
  });
}
