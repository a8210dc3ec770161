import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { KeydError } from './errors.js';
import type { Hop, KeyAnswerMessage } from './hops.js';
import type { Absence, IssuedKey, KeyAnswer, KeyRequest } from './key-source.js';

/** The scope of the keys in an answer. `service` is absent on hops that carry kRegion, both on the one of kDate. */
export interface AnswerScope {
  readonly region?: string;
  readonly service?: string;
}

/** Writes an answer for the wire. */
export function encodeKeyAnswer<Key>(
  hop: Hop<Key>,
  date: ScopeDate,
  scope: AnswerScope,
  answer: KeyAnswer<Key>,
): KeyAnswerMessage {
  return {
    date,
    ...scope,
    issued: [...answer.issued.values()].map(({ facts, key }) => ({
      accessKeyId: facts.accessKeyId,
      key: exportedKey(hop, key),
      version: facts.version,
      createdAt: facts.createdAt,
      ...(facts.expiresAt !== undefined && { expiresAt: facts.expiresAt }),
      ...(facts.services !== undefined && { services: [...facts.services] }),
    })),
    absent: [...answer.absent].map(([accessKeyId, reason]) => ({ accessKeyId, reason })),
  };
}

/**
 * Reads a parent's answer, already of the right form, and refuses one that is not the answer to `request`: another date
 * or scope, ids never asked for, ids named twice or left out. A parent's keys are believed only for what was asked.
 */
export function decodeKeyAnswer<Key>(
  hop: Hop<Key>,
  request: KeyRequest,
  scope: AnswerScope,
  message: KeyAnswerMessage,
): KeyAnswer<Key> {
  if (message.date !== request.date) throw mismatch(`keys of ${message.date} instead of ${request.date}`);
  if (message.region !== scope.region) {
    throw mismatch(`keys of region ${message.region ?? '(all)'} instead of ${scope.region ?? '(all)'}`);
  }
  if (message.service !== scope.service) {
    throw mismatch(`keys of service ${message.service ?? '(all)'} instead of ${scope.service ?? '(all)'}`);
  }
  const open = new Set(request.accessKeyIds);
  const take = (accessKeyId: string): void => {
    if (!open.delete(accessKeyId)) throw mismatch(`${accessKeyId}, which was not asked for or came twice`);
  };
  const issued = new Map<string, IssuedKey<Key>>();
  for (const { accessKeyId, key, version, createdAt, expiresAt, services } of message.issued) {
    take(accessKeyId);
    issued.set(accessKeyId, {
      key: importedKey(hop, accessKeyId, key),
      facts: {
        accessKeyId,
        version,
        createdAt,
        ...(expiresAt !== undefined && { expiresAt }),
        ...(services !== undefined && { services }),
      },
    });
  }
  const absent = new Map<string, Absence>();
  for (const { accessKeyId, reason } of message.absent) {
    take(accessKeyId);
    absent.set(accessKeyId, reason);
  }
  if (open.size > 0) throw mismatch(`nothing about ${open.size} of the access keys that were asked for`);
  return { issued, absent };
}

function exportedKey<Key>(hop: Hop<Key>, key: Key): string {
  const bytes = hop.exportKey(key);
  try {
    return bytes.toString('base64');
  } finally {
    bytes.fill(0);
  }
}

function importedKey<Key>(hop: Hop<Key>, accessKeyId: string, text: string): Key {
  const bytes = Buffer.from(text, 'base64');
  try {
    if (bytes.length !== hop.keyBytes) throw mismatch(`a key of ${bytes.length} bytes for ${accessKeyId}`);
    return hop.importKey(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw mismatch(`what is no key for ${accessKeyId}`);
  } finally {
    bytes.fill(0);
  }
}

function mismatch(what: string): KeydError {
  return new KeydError('parent-unavailable', { cause: new Error(`the parent answered ${what}`) });
}
