import { refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import { parseCondition } from './condition.js';
import type { Condition } from './condition.js';
import { parseExpiration } from './expiration.js';

/** What the signer of a form allows to whoever holds it. */
export interface PostPolicy {
  /** Epoch milliseconds; at this instant the form holds no more. */
  readonly expiresAt: number;
  readonly conditions: readonly Condition[];
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Reads a policy from the field's own text: base64 of JSON in UTF-8. Anything that is not known to it is refused. */
export function parsePostPolicy(text: string): PostPolicy | Refused {
  const document = decoded(text);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return refuse('malformed-post-policy', 'not base64 of a JSON object in UTF-8');
  }
  const members = new Map<string, unknown>(Object.entries(document));
  const expiration = members.get('expiration');
  const expiresAt = typeof expiration === 'string' ? parseExpiration(expiration) : undefined;
  if (expiresAt === undefined) return refuse('malformed-post-policy', 'expiration');
  const elements = members.get('conditions');
  if (!Array.isArray(elements) || elements.length === 0) return refuse('malformed-post-policy', 'conditions');
  if (members.size > 2) return refuse('malformed-post-policy', 'more than expiration and conditions');
  const conditions: Condition[] = [];
  for (const element of elements) {
    const read = parseCondition(element);
    if ('misread' in read) return refuse('malformed-post-policy', read.misread);
    conditions.push(...read);
  }
  return { expiresAt, conditions };
}

function decoded(text: string): unknown {
  if (!BASE64.test(text)) return undefined;
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'base64'));
    const document: unknown = JSON.parse(json);
    return document;
  } catch {
    return undefined;
  }
}
