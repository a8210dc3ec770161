import { readParts } from './authentication.js';
import type { Authentication } from './authentication.js';
import { refuse } from './refusal.js';
import type { Refused } from './refusal.js';
import { ALGORITHM } from './string-to-sign.js';

const NAMES: ReadonlySet<string> = new Set(['Credential', 'SignedHeaders', 'Signature']);

/** Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`: three parts, each once, in any order. */
export function parseAuthorizationHeader(value: string): Authentication | Refused {
  const space = value.indexOf(' ');
  if ((space < 0 ? value : value.slice(0, space)) !== ALGORITHM) return refuse('unsupported-algorithm');
  const found = new Map<string, string>();
  for (const part of value.slice(ALGORITHM.length).split(',', NAMES.size + 1)) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (!NAMES.has(name)) return refuse('malformed-authorization', 'an unknown part');
    if (found.has(name)) return refuse('malformed-authorization', `${name} is doubled`);
    found.set(name, part.slice(equals + 1).trim());
  }
  return readParts('header', {
    Credential: found.get('Credential'),
    SignedHeaders: found.get('SignedHeaders'),
    Signature: found.get('Signature'),
  });
}
