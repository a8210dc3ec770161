import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { KeydError } from './errors.js';
import type { Hop, KeyAnswerMessage } from './hops.js';
import type { Absence, IssuedKey, KeyAnswer, KeyRequest } from './key-source.js';

/** The scope of the keys in an answer. `service` is absent on hops that carry kRegion, both on the one of kDate. */
export interface AnswerScope {
  readonly region?: string;
  readonly service?: string;
}

/** Writes an answer for the wire, for an asker of an earlier release: the keys are in the clear, and text. */
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
      key: exportedInto(hop, key, (bytes) => bytes.toString('base64')),
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
  return believedAnswer(request, scope, {
    ...message,
    region: message.region,
    service: message.service,
    issued: issuedIn(hop, message),
  });
}

function* issuedIn<Key>(hop: Hop<Key>, { issued }: KeyAnswerMessage): Generator<IssuedKey<Key>> {
  for (const { accessKeyId, key, version, createdAt, expiresAt, services } of issued) {
    const bytes = Buffer.from(key, 'base64');
    try {
      const facts = {
        accessKeyId,
        version,
        createdAt,
        ...(expiresAt !== undefined && { expiresAt }),
        ...(services !== undefined && { services }),
      };
      yield { key: importedKey(hop, accessKeyId, bytes), facts };
    } finally {
      bytes.fill(0);
    }
  }
}

/** What a parent has told, in whichever form. */
export interface ToldAnswer<Key> {
  readonly date: ScopeDate;
  readonly region: string | undefined;
  readonly service: string | undefined;
  readonly issued: Iterable<IssuedKey<Key>>;
  readonly absent: Iterable<{ readonly accessKeyId: string; readonly reason: Absence }>;
}

/** The answer to `request`, and nothing else. Throws KeydError 'parent-unavailable'. */
export function believedAnswer<Key>(request: KeyRequest, scope: AnswerScope, told: ToldAnswer<Key>): KeyAnswer<Key> {
  if (told.date !== request.date) throw mismatch(`keys of ${told.date} instead of ${request.date}`);
  if (told.region !== scope.region) {
    throw mismatch(`keys of region ${told.region ?? '(all)'} instead of ${scope.region ?? '(all)'}`);
  }
  if (told.service !== scope.service) {
    throw mismatch(`keys of service ${told.service ?? '(all)'} instead of ${scope.service ?? '(all)'}`);
  }
  const open = new Set(request.accessKeyIds);
  const take = (accessKeyId: string): void => {
    if (!open.delete(accessKeyId)) throw mismatch(`${accessKeyId}, which was not asked for or came twice`);
  };
  const issued = new Map<string, IssuedKey<Key>>();
  for (const each of told.issued) {
    take(each.facts.accessKeyId);
    issued.set(each.facts.accessKeyId, each);
  }
  const absent = new Map<string, Absence>();
  for (const { accessKeyId, reason } of told.absent) {
    take(accessKeyId);
    absent.set(accessKeyId, reason);
  }
  if (open.size > 0) throw mismatch(`nothing about ${open.size} of the access keys that were asked for`);
  return { issued, absent };
}

/** Hands the bytes of a key to `use`, and overwrites them. */
export function exportedInto<Key, Result>(hop: Hop<Key>, key: Key, use: (bytes: Buffer) => Result): Result {
  const bytes = hop.exportKey(key);
  try {
    return use(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** Copies the bytes. Throws KeydError 'parent-unavailable' for what is no key of this hop. */
export function importedKey<Key>(hop: Hop<Key>, accessKeyId: string, bytes: Uint8Array): Key {
  try {
    if (bytes.length !== hop.keyBytes) throw mismatch(`a key of ${bytes.length} bytes for ${accessKeyId}`);
    return hop.importKey(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw mismatch(`what is no key for ${accessKeyId}`);
  }
}

export function mismatch(what: string): KeydError {
  return new KeydError('parent-unavailable', { cause: new Error(`the parent answered ${what}`) });
}
